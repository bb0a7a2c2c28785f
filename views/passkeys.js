// Starts WebAuthn on a page that has a passkey form, and sends what comes of it with that form. Follows @simplewebauthn/browser.
(() => {
  const { browserSupportsWebAuthn, browserSupportsWebAuthnAutofill, startAuthentication, startRegistration } =
    globalThis.SimpleWebAuthnBrowser;
  const form = document.querySelector('form[data-passkey]');
  if (!form) return;
  if (!browserSupportsWebAuthn()) {
    document.querySelector('[data-without-passkeys]')?.removeAttribute('hidden');
    return;
  }

  const { passkey, failed, taken } = form.dataset;
  const optionsJSON = JSON.parse(passkey);
  const start = 'user' in optionsJSON ? startRegistration : startAuthentication;
  const alert = form.querySelector('[role=alert]');

  function say(text) {
    alert.hidden = !text;
    alert.textContent = text;
  }

  function send(credential) {
    form.querySelector('input[name=passkey]').value = JSON.stringify(credential);
    // ticked in the form for name and password, and meant for either
    const remember = document.querySelector('input[name=remember]:checked');
    if (remember) form.append(remember.cloneNode());
    form.submit();
  }

  /** Offers the passkeys among what the browser fills in; ends without a word when the button is pressed instead. */
  async function listen() {
    if (!document.querySelector('input[autocomplete~=webauthn]') || !(await browserSupportsWebAuthnAutofill())) return;
    startAuthentication({ optionsJSON, useBrowserAutofill: true }).then(send, () => {});
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    say('');
    start({ optionsJSON }).then(send, (error) => {
      say(error.name === 'InvalidStateError' ? taken : failed);
      listen();
    });
  });
  form.hidden = false;
  listen();
})();
