// Keeps a double click from sending a form twice, and the Back button from asking whether to send it again.
(() => {
  /** Longer than a double click, shorter than anybody waits before a form that seems stuck is sent anew. */
  const DOUBLE_MS = 2_000;
  let sentAt = Number.NEGATIVE_INFINITY;

  // a page that answers a form becomes one that was asked for: to come back to it, or to reload it, sends nothing again
  const form = document.querySelector('form[data-page]');
  if (form) history.replaceState(history.state, '', form.getAttribute('action'));

  document.addEventListener('submit', (event) => {
    if (event.defaultPrevented) return;
    if (event.timeStamp - sentAt < DOUBLE_MS) event.preventDefault();
    else sentAt = event.timeStamp;
  });
  // the page may come back as it was left
  addEventListener('pageshow', () => {
    sentAt = Number.NEGATIVE_INFINITY;
  });
})();
