// Every text that a person sees, in English, nested by page; a text with parameters is a function.

/** on the page of a sign-in and on the account page */
const authenticatorSteps = {
  scan: '1. Scan this with an authenticator app',
  scanHint: 'Any such app will do. It shows a new code every 30 seconds.',
  qr: 'QR code for your authenticator app',
  cannotScan: 'You cannot scan it?',
  openApp: 'Open the app on this device',
  typeKey: 'Or type this key into the app:',
  confirm: '2. Type the code that the app shows',
  code: 'Code',
  codeHint: 'Six digits.',
  submit: 'Turn on',
  refused: 'That is not the code that the app shows now. Check that the clock of your phone is right, and try again.',
};

/** the same */
const recoveryCodes = {
  title: 'Keep these recovery codes',
  lead: 'If you lose your phone or passkey, each of these lets you in once. They are not shown again: print them, write them down, or keep them in a password manager.',
  kept: 'I have kept them in a safe place',
  submit: 'Continue',
};

/** Other languages have the same shape: see `Texts`. */
export const en = {
  /** language tag of this file (BCP 47) */
  language: 'en',
  /** language tag by whose customs dates are written: here the day comes first and hours go to 24, which nobody misreads */
  dates: 'en-GB',

  shared: {
    toStart: 'Go to the start page',
    privacyPolicy: 'Privacy policy',
    termsOfService: 'Terms of service',
    opensInNewWindow: '(opens in a new window)',
    /** when the browser, or the person, ends it */
    passkeyFailed: 'That was cancelled, or did not work. Try again, or go on without a passkey.',
    /** when there is one for this account already */
    passkeyTaken: 'There is a passkey for your account on this device already.',
    /** one sentence for an unknown passkey, a disabled account and everything that is wrong with an answer alike */
    passkeyRefused: 'This passkey does not work here. Try another way to sign in.',
    /** where there is no other way on the page */
    passkeyNeedsBrowser: 'This browser cannot use passkeys. Try another one.',
    passkeyNeedsScript: 'Passkeys need JavaScript: allow it for this page, then load it again.',
    passkeyExpired: 'That took too long. Try again.',
    passkeyUnverified: 'Your passkey did not check that it is you. Sign in with your password first.',
  },

  login: {
    title: 'Sign in',
    titleFor: (client: string) => `Sign in to ${client}`,
    lead: (client: string) => `to continue to ${client}`,
    name: 'Username or email',
    password: 'Password',
    remember: 'Keep me signed in on this device',
    submit: 'Sign in',
    passkey: 'Sign in with a passkey',
    /** on a button, of another provider */
    upstream: (label: string) => `Continue with ${label}`,
    cancel: 'Cancel',
    forgot: 'Forgot your password?',
    signUp: 'Create an account',
    /** the same for an unknown name, a wrong password, a disabled account and an attempt too many */
    refused:
      'That name and password do not match. Check both and try again. After many attempts, wait a few minutes first.',
    otherAccount: 'The application asks for another account. Sign in with that one.',
  },

  upstream: {
    lost: 'This way of signing in took too long, or was used already. Choose it again.',
    refused: (label: string) => `${label} did not sign you in. Try again, or choose another way.`,
    failed: (label: string) =>
      `Signing in with ${label} does not work just now. Try again later, or choose another way.`,
    unlinked: (label: string, name: string) =>
      `Nobody here has connected the ${label} account ${name} yet. Sign in with your password, then connect it on your account page.`,
  },

  'second-factor': {
    title: 'One more step',
    lead: (client: string) => `to continue to ${client}`,
    code: 'Code from your authenticator app',
    hint: 'Six digits that change every 30 seconds.',
    submit: 'Continue',
    passkey: 'Use a passkey',
    /** where nothing but a passkey is asked for */
    passkeyAfterPassword: 'Your password is right. Now confirm with your passkey.',
    /** the same after another way of signing in, or in a session */
    passkeyOnly: 'Now confirm with your passkey that it is you.',
    useRecovery: 'Use a recovery code',
    useOther: 'Use another way',
    recoveryTitle: 'Use a recovery code',
    recoveryCode: 'Recovery code',
    recoveryHint: 'One of those that you kept when you set up the second step. Each works once.',
    cancel: 'Cancel',
    /** the same for a wrong code and an attempt too many */
    refused: 'That code does not work. Wait until your app shows a new one, then type that.',
    /** one that was right and has been used */
    replayed: 'That code was used already. Wait until your app shows a new one.',
    recoveryRefused: 'That recovery code does not work. Check every letter, or try another one.',
  },

  authenticator: {
    title: 'Set up a second step',
    needed: (client: string) =>
      `To continue to ${client}, you need a code as well as your password. It comes from an app on your phone.`,
    offered: (client: string) =>
      `${client} would like a code as well as your password. It comes from an app on your phone.`,
    /** where it may be a passkey too, which is not named: only browsers that have them show the button */
    neededEither: (client: string) => `To continue to ${client}, you need a second step as well as your password.`,
    offeredEither: (client: string) => `${client} would like a second step as well as your password.`,
    /** where nothing else would do */
    neededPasskey: (client: string) =>
      `To continue to ${client}, you need a passkey as well as your password. You use it by unlocking your device.`,
    passkey: 'Use a passkey',
    ...authenticatorSteps,
    skip: 'Not now',
    cancel: 'Cancel',
  },

  'recovery-codes': recoveryCodes,

  /** why a password may not be chosen; the parameter is how many characters it must have */
  newPassword: {
    tooShort: (minimum: number) => `Choose a password of at least ${minimum} characters.`,
    tooLong: () => 'This password is too long. Choose one of at most 256 characters.',
    unusable: () => 'This password has a character in it that cannot be used. Choose another one.',
    common: () => 'This password is among the first that attackers try. Choose another one.',
    personal: () =>
      'This password is made of your name, your address or the name of this service. Choose one that has nothing to do with them.',
    guessable: () =>
      'This password is easy to guess: it is a pattern, or something repeated. Choose a few words that nobody would put together.',
  },

  consent: {
    title: (client: string) => `Allow ${client}?`,
    heading: (client: string) => `Allow ${client} to use your account?`,
    signedInAs: (username: string) => `Signed in as ${username}`,
    asks: 'It will be able to',
    claims: (names: string) => `see these details of yours: ${names}`,
    offlineAccess: 'keep this access while you are away',
    resources: 'It will be able to use',
    noPermission: 'with no particular permission',
    allow: 'Allow',
    deny: 'Don’t allow',
    /** what a scope lets the client do, in words that follow `asks` */
    scopes: {
      openid: 'know that it is you',
      profile: 'see your name, picture and other profile details',
      email: 'see your e-mail address',
      address: 'see your postal address',
      phone: 'see your telephone number',
    },
    otherScope: (name: string) => `use ${name}`,
    /** of the claims that follow `claims` (OpenID Connect Core §5.1) */
    claimNames: {
      sub: 'sub',
      name: 'name',
      given_name: 'given name',
      family_name: 'family name',
      middle_name: 'middle name',
      nickname: 'nickname',
      preferred_username: 'preferred username',
      profile: 'profile',
      picture: 'picture',
      website: 'website',
      email: 'email',
      email_verified: 'email verified',
      gender: 'gender',
      birthdate: 'birthdate',
      zoneinfo: 'zoneinfo',
      locale: 'locale',
      phone_number: 'phone number',
      phone_number_verified: 'phone number verified',
      address: 'address',
      updated_at: 'updated at',
    },
  },

  logout: {
    title: 'Sign out?',
    leaving: (client: string) =>
      `You are leaving ${client}. Signing out here ends your session, so the next sign-in asks for your password again.`,
    ending: 'Signing out ends your session on this device, so the next sign-in asks for your password again.',
    submit: 'Sign out',
    stay: 'Stay signed in',
  },

  'signed-out': {
    title: 'You are signed out',
    left: (client: string) => `You have left ${client}.`,
    safe: 'It is safe to close this window.',
    back: (client: string) => `Back to ${client}`,
  },

  /** seen for a moment, unless the browser runs no scripts */
  'form-post': {
    title: 'One more step',
    lead: 'Your browser runs no scripts, so this needs a click.',
    submit: 'Continue',
  },

  error: {
    title: (title: string) => `Error: ${title}`,
    facts: 'If you ask for help, quote this',
    request: 'Request',
    error: 'Error',
    detail: 'Detail',
    notFound: {
      title: 'Page not found',
      message: 'There is no page at this address.',
      advice: 'Go back to the application that you came from and start again from there.',
    },
    /** on a button */
    again: 'Try again',
    tooMany: {
      title: 'Too many attempts',
      message: 'Too many attempts to sign in have failed where you are.',
      advice: 'Wait for a quarter of an hour, then try again.',
    },
    unavailable: {
      title: 'Something went wrong',
      message: 'The sign-in service could not answer just now.',
      advice: 'Wait a moment and try again. If it keeps happening, tell your administrator the request id below.',
    },
    unregistered: {
      title: 'This application cannot sign you in',
      message: 'The application that sent you here is not registered for that address.',
      advice: 'Nothing that you did is wrong. Tell the people who run the application what this page says.',
    },
    closed: {
      title: 'This sign-in is no longer open',
      message: 'It took too long, was finished in another tab, or was started in another browser.',
      advice: 'Go back to the application and sign in again: it takes one click.',
    },
    refused: {
      title: 'This request cannot be completed',
      message: 'The application sent you here with a request that this service does not accept.',
      advice:
        'Go back to the application and try again. If it keeps happening, tell the people who run it what this page says.',
    },
  },

  /** on the error page, when a sign-in cannot go on where the end-user is */
  lostSignIn: {
    toApplication: 'Go to the application',
    tryAgain: 'Try again',
    carryOn: 'Continue to sign in',
    goOn: 'Continue',
    unknown: {
      title: 'Start from your application',
      message: 'Signing in begins at the application that you want to use: open it and choose to sign in there.',
    },
    tooOld: {
      title: 'This sign-in is no longer open',
      message: 'It was begun too long ago, so the application has to begin it anew.',
    },
    answered: {
      title: 'This sign-in is done',
      message: 'It is not open any more, since the application has your answer already.',
    },
    sentTwice: {
      title: 'You are signed in',
      message: 'The form was sent twice: one more click leads to the application.',
    },
    noCookies: {
      title: 'Your browser keeps no cookies',
      message: (host: string) => `Signing in needs them: allow cookies for ${host} in your browser, then try again.`,
    },
    elsewhere: {
      title: 'This sign-in is no longer open here',
      message: 'It took too long, was finished in another tab, or was begun in another browser.',
    },
  },

  'reset-password': {
    title: 'Forgot your password?',
    lead: 'Type the name or the e-mail address of your account. We send you an e-mail with a link to choose a new password.',
    name: 'Username or email',
    submit: 'Send the e-mail',
    missing: 'Type your username or your e-mail address.',
    back: 'Back to sign in',
  },

  'choose-password': {
    reset: { title: 'Choose a new password', submit: 'Save the password' },
    invitation: { title: 'Welcome: choose a password', submit: 'Save the password' },
    signUp: { title: 'Choose a password', submit: 'Create the account' },
    account: (username: string) => `For the account ${username}`,
    password: 'New password',
    hint: (length: number) => `At least ${length} characters. A few words that nobody would guess are best.`,
  },

  'sign-up': {
    title: 'Create an account',
    lead: 'We send you an e-mail with a link that continues.',
    email: 'E-mail address',
    name: 'Your name (if you like)',
    submit: 'Send the e-mail',
    invalidEmail: 'That is not an e-mail address. Check it and try again.',
    invalidName: 'That name is too long, or has characters that cannot be shown.',
    back: 'Back to sign in',
  },

  'confirm-email': {
    title: 'Confirm your e-mail address',
    lead: (email: string) => `Is ${email} your address?`,
    account: (username: string) =>
      `It becomes the address of the account ${username}. If that is not your account, close this page.`,
    submit: 'Yes, both are mine',
  },

  /** how the links of letters, and the forms that ask for letters, end */
  outcome: {
    signIn: 'Continue to sign in',
    toAccount: 'Go to your account',
    askAgain: 'Ask for a new e-mail',
    back: 'Back to sign in',
    /** below the ends of the forms, `tryAgain` linked */
    nothingThere: (tryAgain: string) => `Nothing there? Look in the spam folder, or ${tryAgain}.`,
    tryAgain: 'try again',
    resetSent: {
      title: 'Look at your e-mail',
      message:
        'If there is an account of that name with a confirmed e-mail address, an e-mail with a link is on its way there. The link works once, within 30 minutes.',
    },
    signUpSent: {
      title: 'Look at your e-mail',
      message:
        'An e-mail that says how to continue is on its way to your address. Its link works once, within 24 hours.',
    },
    passwordChanged: {
      title: 'Your password is changed',
      message: 'You are signed out everywhere. Sign in with the new password.',
    },
    accountReady: {
      title: 'Your account is ready',
      message: 'Your e-mail address is confirmed. Sign in with your new password.',
    },
    /** by a link that proved no address */
    passwordChosen: {
      title: 'Your account is ready',
      message: 'Sign in with your new password.',
    },
    emailConfirmed: {
      title: 'Your e-mail address is confirmed',
      message: 'That is all. You can close this window.',
    },
    linkGone: {
      title: 'This link does not work any more',
      message: 'It was used already, it is too old, or a newer e-mail has replaced it.',
    },
    /** of those who may have no password, and cannot ask for a letter themselves */
    invitationGone: {
      title: 'This link does not work any more',
      message:
        'It was used already, it is too old, or a newer one has replaced it. If you have chosen a password already, sign in. If not, ask the person who invited you for a new link.',
    },
    addressTaken: {
      title: 'This address belongs to another account',
      message: 'Sign in to that account, or use another address.',
    },
  },

  /** a link stands between `before` and `after` */
  letters: {
    greeting: 'Hello,',
    passwordReset: {
      subject: (installation: string) => `New password for ${installation}`,
      before: (username: string) =>
        `somebody asked for a new password for your account ${username}. If it was you, open this link and choose one:`,
      after: 'The link works once, within 30 minutes. If it was not you, do nothing: your password stays as it is.',
    },
    passwordChanged: {
      subject: (installation: string) => `Your password for ${installation} was changed`,
      before: (username: string, at: string) =>
        `the password of your account ${username} was changed on ${at}. If it was you, there is nothing to do.\n\nIf it was not you, ask for a new password now, and tell the people who run the service:`,
    },
    signInChanged: {
      changes: {
        passkeyAdded: {
          subject: (installation: string) => `A passkey was added to your account for ${installation}`,
          before: (username: string, at: string) =>
            `a passkey was added to your account ${username} on ${at}. It signs in to your account.`,
        },
        passkeyRemoved: {
          subject: (installation: string) => `A passkey was removed from your account for ${installation}`,
          before: (username: string, at: string) =>
            `a passkey was removed from your account ${username} on ${at}. It does not sign you in any more.`,
        },
        appAdded: {
          subject: (installation: string) => `Your account for ${installation} has a new authenticator app`,
          before: (username: string, at: string) =>
            `an authenticator app was set up for your account ${username} on ${at}. Codes of one that you had before do not work any more.`,
        },
        appRemoved: {
          subject: (installation: string) => `The authenticator app of your account for ${installation} was removed`,
          before: (username: string, at: string) =>
            `the authenticator app of your account ${username} was removed on ${at}. Its codes are not asked for any more.`,
        },
        identityLinked: {
          subject: (installation: string) => `An account elsewhere was connected to your account for ${installation}`,
          before: (username: string, at: string, elsewhere: string) =>
            `an account at ${elsewhere} was connected to your account ${username} on ${at}. It signs in to your account.`,
        },
        identityUnlinked: {
          subject: (installation: string) =>
            `An account elsewhere was disconnected from your account for ${installation}`,
          before: (username: string, at: string, elsewhere: string) =>
            `an account at ${elsewhere} was disconnected from your account ${username} on ${at}. It does not sign you in any more.`,
        },
      },
      advice:
        'If it was you, there is nothing to do.\n\nIf it was not you, sign in, undo it, choose another password, and tell the people who run the service:',
    },
    invitation: {
      subject: (installation: string) => `Your account for ${installation}`,
      before: (installation: string) =>
        `there is an account for you at ${installation}. Open this link to choose its password:`,
      after: 'The link works once, within 7 days. If you expect no account, do nothing.',
    },
    emailVerification: {
      subject: (installation: string) => `Confirm your e-mail address for ${installation}`,
      before: (installation: string) =>
        `somebody gave this e-mail address for an account at ${installation}. If it was you, confirm it here:`,
      after: 'The link works once, within 24 hours. If it was not you, do nothing.',
    },
    signUp: {
      subject: (installation: string) => `Create your account for ${installation}`,
      before: (installation: string) =>
        `somebody wants to create an account at ${installation} with this e-mail address. If it was you, continue here:`,
      after: 'The link works once, within 24 hours. If it was not you, do nothing: there is no account.',
    },
    alreadySignedUp: {
      subject: (installation: string) => `You have an account for ${installation}`,
      before: (installation: string) =>
        `somebody wanted to create an account at ${installation} with this e-mail address, but it belongs to an account already.\n\nIf it was you, sign in to that one. If you have forgotten its password, choose a new one:`,
      after: 'If it was not you, do nothing.',
    },
    emailChanged: {
      subject: (installation: string) => `The e-mail address of your account for ${installation} was changed`,
      before: (username: string, at: string) =>
        `the e-mail address of your account ${username} was changed on ${at}: this one does not belong to it any more. If it was you, there is nothing to do.\n\nIf it was not you, tell the people who run the service now.`,
    },
  },

  home: {
    heading: 'This is a sign-in service',
    lead: 'You don’t need to do anything here. Applications send you to this address when you sign in to them.',
    developers: 'For developers',
    issuer: (issuer: string) => `Issuer: ${issuer}`,
    discovery: 'Provider metadata (discovery)',
    keys: 'Public keys (JWKS)',
    health: 'Health',
    account: 'Your account',
  },

  /** around every page of the account page */
  accountFrame: {
    title: 'Your account',
    pageTitle: (page: string) => `${page} – Your account`,
    navigation: 'Pages of your account',
    signedInAs: (username: string) => `Signed in as ${username}`,
    signOut: 'Sign out',
    back: 'Back',
    change: 'Change',
    /** of pages, where they are listed */
    links: {
      overview: 'Overview',
      profile: 'Profile',
      password: 'Password',
      sessions: 'Where you are signed in',
      applications: 'Applications',
      activity: 'Recent activity',
      identities: 'Accounts elsewhere',
      authenticator: 'Authenticator app',
      passkeys: 'Passkeys',
    },
    /** what a change has ended with */
    outcomes: {
      emailSent: 'An e-mail is on its way to the new address. The address is yours once you follow the link in it.',
      emailSaved: 'Your e-mail address is changed.',
      passwordChanged: 'Your password is changed, and you are signed out everywhere else.',
      sessionEnded: 'You are signed out there.',
      sessionGone: 'That sign-in had ended already.',
      othersEnded: 'You are signed out everywhere else.',
      accessEnded: 'The application has no access any more.',
      accessGone: 'That application had no access any more.',
      authenticatorOff: 'The authenticator app is not asked for any more.',
      recoveryCodesKept: 'Your recovery codes are ready.',
      identityLinked: 'You can sign in with that account now.',
      identityUnlinked: 'That account does not sign you in any more.',
      passkeyAdded: 'You can sign in with this passkey now.',
      passkeyRenamed: 'Your passkey has another name now.',
      passkeyRemoved: 'That passkey does not sign you in any more.',
      profileSaved: 'Your profile is saved.',
    },
    lost: {
      title: 'This sign-in is no longer open',
      message: 'It took too long, or was begun in another browser. Continue, and you are there.',
      carryOn: 'Continue to your account',
    },
    /** for a form from before somebody signed in anew, and for one that is not ours */
    oldForm: {
      title: 'Nothing was changed',
      message: 'The page was open for too long, or came from somewhere else. Continue, and do it there.',
      carryOn: 'Continue',
    },
  },

  'account-identities': {
    title: 'Accounts elsewhere',
    lead: 'With these you can sign in here.',
    nothing: 'None yet.',
    since: 'Connected',
    remove: 'Disconnect',
    removeWhich: (name: string, label: string) => `Disconnect ${label} at ${name}`,
    add: (name: string) => `Connect ${name}`,
    taken: (name: string, label: string) => `${label} at ${name} is connected to another account here.`,
    last: 'This is the only way into your account: choose a password first, then disconnect it.',
  },

  'account-passkeys': {
    title: 'Passkeys',
    lead: 'With a passkey you sign in by unlocking your device: nothing to remember, and nothing that can be stolen from you by a false page.',
    none: 'You have no passkey yet.',
    add: 'Add a passkey',
    /** of one that nothing is known of */
    unnamed: 'Passkey',
    created: 'Added',
    lastUsed: 'Last used',
    unused: 'Not used yet',
    changeWhich: (name: string) => `Change ${name}`,
  },

  'account-passkey-add': {
    title: 'Add a passkey',
    lead: 'Your browser asks where to keep it: on this device, in a password manager, on your phone or on a security key.',
    /** of the first second factor beside a password */
    asksMore: 'From then on, your password alone is not enough to sign in: a passkey or a recovery code is needed too.',
    submit: 'Add a passkey',
    refused: 'This passkey could not be added. Try again, or choose another place for it.',
  },

  'account-passkey': {
    title: 'Change a passkey',
    name: 'Name',
    rename: 'Save the name',
    badName: 'Choose a name of 1 to 64 characters.',
    removal: 'Remove this passkey',
    removalHint: 'It does not sign you in here any more. Remove it from your device or password manager as well.',
    password: 'Your password',
    remove: 'Remove',
    required:
      'Your account needs a second step, so the last one cannot be removed. Add another passkey or an app first.',
    onlyWay: 'You have no password, so the last passkey cannot be removed. Add another passkey first.',
    wrongPassword: 'That is not your password. Try again.',
    weakPassword:
      'Your password is too short or too easy to guess to stand alone. Choose a longer one first, then remove the passkey.',
  },

  'account-authenticator': {
    title: 'Authenticator app',
    on: 'When you sign in, you are asked for a code from your authenticator app.',
    off: 'With an app on your phone that shows codes, a stolen password is not enough to sign in as you.',
    setUp: 'Set up an app',
    replace: 'Set up another app in its place',
    recoveryCodes: 'Recovery codes',
    left: (count: number) =>
      count === 0
        ? 'You have none left. Make new ones, in case you lose your phone or passkey.'
        : `You have ${count} left. New ones replace them.`,
    renew: 'Make new recovery codes',
    removal: 'Remove the app',
    removalHint: 'Codes from it are not asked for any more.',
    password: 'Your password',
    remove: 'Remove',
    required:
      'Your account needs a second step, so this one cannot be removed. You can set up another app in its place.',
    wrongPassword: 'That is not your password. Try again.',
    weakPassword:
      'Your password is too short or too easy to guess to stand alone. Choose a longer one first, then remove the app.',
  },

  'account-authenticator-set-up': { title: 'Set up an authenticator app', ...authenticatorSteps },

  'account-recovery-codes': recoveryCodes,

  'account-profile': {
    title: 'Profile',
    name: 'Name',
    nameHint: 'What applications call you. You can leave it empty.',
    username: 'Username',
    email: 'E-mail address',
    confirmed: 'confirmed',
    unconfirmed: 'not confirmed',
    noEmail: 'none',
    save: 'Save',
    changeEmail: 'Change e-mail address',
    unusable: 'This name is too long, or has characters in it that cannot be shown. Choose another one.',
  },

  'account-email': {
    title: 'E-mail address',
    email: 'New e-mail address',
    hint: 'We send an e-mail there. The address is yours once you follow the link in it; until then, nothing changes.',
    submit: 'Change address',
    unusable: 'This address cannot be used here. Check it, or choose another one.',
    tooMany: 'Too many e-mails were asked for. Wait an hour, then try again.',
  },

  'account-password': {
    title: 'Password',
    current: 'Current password',
    password: 'New password',
    hint: (minimum: number) =>
      `At least ${minimum} characters. A few words that nobody would put together are easy to remember.`,
    ends: 'When you save a new password, you are signed out everywhere else.',
    submit: 'Change password',
    choose: 'Set password',
    wrong: 'That is not your current password. Check it and try again.',
  },

  'account-sessions': {
    title: 'Where you are signed in',
    here: 'This browser',
    unknownBrowser: 'Unknown browser',
    on: (browser: string, system: string) => `${browser} on ${system}`,
    from: (address: string) => `From ${address}`,
    signedIn: (moment: string) => `Signed in ${moment}`,
    used: (moment: string) => `Last used ${moment}`,
    clients: (names: string) => `Used for ${names}`,
    end: 'Sign out',
    endOf: (browser: string) => `Sign out: ${browser}`,
    everywhere: 'Everywhere else',
    everywhereHint:
      'Ends every other sign-in, and all access that applications have from there, even what they were to keep while you are away.',
    endOthers: 'Sign out everywhere else',
  },

  'account-applications': {
    title: 'Applications',
    lead: 'These applications have access to your account.',
    none: 'No application has access to your account.',
    since: (moment: string) => `Since ${moment}`,
    access: (what: string) => `Can ${what}`,
    offline: 'Keeps its access while you are away',
    revoke: 'End access',
    revokeOf: (name: string) => `End access: ${name}`,
    hint: 'It has to ask you again when you sign in to it the next time, unless it belongs to this service.',
  },

  'account-activity': {
    title: 'Recent activity',
    lead: 'If you do not recognise something, change your password.',
    none: 'Nothing has happened yet.',
    from: (address: string) => `from ${address}`,
    to: (client: string) => `for ${client}`,
    events: {
      loginSucceeded: 'Signed in',
      logoutSucceeded: 'Signed out',
      secondFactorFailed: 'A code of the second step was wrong',
      secondFactorEnrolled: 'Authenticator app set up',
      secondFactorRemoved: 'Authenticator app removed',
      recoveryCodeUsed: 'Signed in with a recovery code',
      recoveryCodesReplaced: 'New recovery codes',
      passkeyAdded: 'Passkey added',
      passkeyRemoved: 'Passkey removed',
      passkeyRefused: 'A passkey was refused',
      identityLinked: 'Account elsewhere connected',
      identityUnlinked: 'Account elsewhere disconnected',
      consentGranted: 'Access given',
      consentRefused: 'Access refused',
      accessEnded: 'Access ended',
      passwordResetRequested: 'An e-mail for a new password was asked for',
      passwordReset: 'New password by the link of an e-mail',
      passwordChanged: 'Password changed',
      profileChanged: 'Profile changed',
      emailChangeRequested: 'Another e-mail address asked for',
      emailVerified: 'E-mail address confirmed',
      sessionEnded: 'Signed out elsewhere',
      otherSessionsEnded: 'Signed out everywhere else',
      invitationAccepted: 'Invitation accepted',
      signedUp: 'Account made',
      codeReplayed: 'Access of an application was misused, and has been ended',
      refreshTokenReused: 'Access of an application was used twice, and has been ended',
    },
  },

  account: {
    title: 'Your account',
    username: 'Username',
    name: 'Name',
    email: 'E-mail address',
    change: (what: string) => `Change ${what}`,
    none: 'none',
    unverified: (email: string) => `${email} (not confirmed)`,
    topics: {
      password: 'Change the password that you sign in with.',
      authenticator: 'Ask for a code from your phone as well, so that a stolen password is not enough.',
      passkeys: 'Sign in by unlocking your device, without a password.',
      sessions: 'See where you are signed in, and sign out elsewhere.',
      applications: 'See which applications have access to your account, and end it.',
      activity: 'See what has happened in your account lately.',
    },
  },
};

/** What a file of texts holds. */
export type Texts = typeof en;
