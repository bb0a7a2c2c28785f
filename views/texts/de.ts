// Every text that a person sees, in German.
import type { Texts } from './en.ts';

/** on the page of a sign-in and on the account page */
const authenticatorSteps = {
  scan: '1. Scannen Sie dies mit einer Authenticator-App',
  scanHint: 'Jede solche App ist recht. Sie zeigt alle 30 Sekunden einen neuen Code.',
  qr: 'QR-Code für Ihre Authenticator-App',
  cannotScan: 'Sie können ihn nicht scannen?',
  openApp: 'Die App auf diesem Gerät öffnen',
  typeKey: 'Oder tippen Sie diesen Schlüssel in die App:',
  confirm: '2. Geben Sie den Code ein, den die App zeigt',
  code: 'Code',
  codeHint: 'Sechs Ziffern.',
  submit: 'Einschalten',
  refused:
    'Das ist nicht der Code, den die App jetzt zeigt. Prüfen Sie, ob die Uhr Ihres Telefons stimmt, und versuchen Sie es noch einmal.',
};

/** the same */
const recoveryCodes = {
  title: 'Bewahren Sie diese Wiederherstellungs\u00adcodes auf',
  lead: 'Wenn Sie Ihr Telefon oder Ihren Passkey verlieren, lässt jeder von ihnen Sie einmal ein. Sie werden nicht noch einmal gezeigt: Drucken Sie sie aus, schreiben Sie sie auf oder bewahren Sie sie in einem Passwortmanager auf.',
  kept: 'Ich habe sie sicher aufbewahrt',
  submit: 'Weiter',
};

export const de: Texts = {
  language: 'de',
  dates: 'de',

  shared: {
    toStart: 'Zur Startseite',
    privacyPolicy: 'Datenschutzerklärung',
    termsOfService: 'Nutzungsbedingungen',
    opensInNewWindow: '(öffnet ein neues Fenster)',
    passkeyFailed:
      'Das wurde abgebrochen oder ging nicht. Versuchen Sie es noch einmal oder machen Sie ohne Passkey weiter.',
    passkeyTaken: 'Auf diesem Gerät gibt es schon einen Passkey für Ihr Konto.',
    passkeyRefused: 'Dieser Passkey gilt hier nicht. Melden Sie sich auf einem anderen Weg an.',
    passkeyNeedsBrowser: 'Dieser Browser kann keine Passkeys. Versuchen Sie es mit einem anderen.',
    passkeyNeedsScript: 'Passkeys brauchen JavaScript: Erlauben Sie es für diese Seite und laden Sie sie neu.',
    passkeyExpired: 'Das hat zu lange gedauert. Versuchen Sie es noch einmal.',
    passkeyUnverified: 'Ihr Passkey hat nicht geprüft, ob Sie es sind. Melden Sie sich zuerst mit Ihrem Passwort an.',
  },

  login: {
    title: 'Anmelden',
    titleFor: (client) => `Bei ${client} anmelden`,
    lead: (client) => `weiter zu ${client}`,
    name: 'Benutzername oder E-Mail',
    password: 'Passwort',
    remember: 'Auf diesem Gerät angemeldet bleiben',
    submit: 'Anmelden',
    passkey: 'Mit Passkey anmelden',
    upstream: (label) => `Weiter mit ${label}`,
    cancel: 'Abbrechen',
    forgot: 'Passwort vergessen?',
    signUp: 'Konto anlegen',
    refused:
      'Name und Passwort passen nicht zusammen. Prüfen Sie beides und versuchen Sie es noch einmal. Warten Sie nach vielen Versuchen erst einige Minuten.',
    otherAccount: 'Die Anwendung verlangt ein anderes Konto. Melden Sie sich mit diesem an.',
  },

  upstream: {
    lost: 'Diese Anmeldung hat zu lange gedauert oder wurde schon benutzt. Wählen Sie sie noch einmal.',
    refused: (label) =>
      `${label} hat Sie nicht angemeldet. Versuchen Sie es noch einmal oder wählen Sie einen anderen Weg.`,
    failed: (label) =>
      `Die Anmeldung mit ${label} geht gerade nicht. Versuchen Sie es später oder wählen Sie einen anderen Weg.`,
    unlinked: (label, name) =>
      `Das ${label}-Konto ${name} ist hier noch mit keinem Konto verbunden. Melden Sie sich mit Ihrem Passwort an und verbinden Sie es dann auf der Seite Ihres Kontos.`,
  },

  'second-factor': {
    title: 'Noch ein Schritt',
    lead: (client) => `weiter zu ${client}`,
    code: 'Code aus Ihrer Authenticator-App',
    hint: 'Sechs Ziffern, die alle 30 Sekunden wechseln.',
    submit: 'Weiter',
    passkey: 'Passkey verwenden',
    passkeyAfterPassword: 'Ihr Passwort stimmt. Bestätigen Sie jetzt mit Ihrem Passkey.',
    passkeyOnly: 'Bestätigen Sie jetzt mit Ihrem Passkey, dass Sie es sind.',
    useRecovery: 'Wiederherstellungscode verwenden',
    useOther: 'Anderen Weg verwenden',
    recoveryTitle: 'Wiederherstellungs\u00adcode verwenden',
    recoveryCode: 'Wiederherstellungscode',
    recoveryHint: 'Einer von denen, die Sie beim Einrichten aufbewahrt haben. Jeder gilt einmal.',
    cancel: 'Abbrechen',
    refused: 'Dieser Code gilt nicht. Warten Sie, bis Ihre App einen neuen zeigt, und geben Sie diesen ein.',
    replayed: 'Dieser Code wurde schon verwendet. Warten Sie, bis Ihre App einen neuen zeigt.',
    recoveryRefused:
      'Dieser Wiederherstellungscode gilt nicht. Prüfen Sie jeden Buchstaben oder versuchen Sie einen anderen.',
  },

  authenticator: {
    title: 'Zweiten Schritt einrichten',
    needed: (client) =>
      `Weiter zu ${client} geht es mit einem Code zusätzlich zu Ihrem Passwort. Er kommt aus einer App auf Ihrem Telefon.`,
    offered: (client) =>
      `${client} hätte zusätzlich zu Ihrem Passwort gern einen Code. Er kommt aus einer App auf Ihrem Telefon.`,
    neededEither: (client) => `Weiter zu ${client} geht es mit einem zweiten Schritt zusätzlich zu Ihrem Passwort.`,
    offeredEither: (client) => `${client} hätte zusätzlich zu Ihrem Passwort gern einen zweiten Schritt.`,
    neededPasskey: (client) =>
      `Weiter zu ${client} geht es mit einem Passkey zusätzlich zu Ihrem Passwort. Sie verwenden ihn, indem Sie Ihr Gerät entsperren.`,
    passkey: 'Passkey verwenden',
    ...authenticatorSteps,
    skip: 'Nicht jetzt',
    cancel: 'Abbrechen',
  },

  'recovery-codes': recoveryCodes,

  newPassword: {
    tooShort: (minimum) => `Wählen Sie ein Passwort mit mindestens ${minimum} Zeichen.`,
    tooLong: () => 'Dieses Passwort ist zu lang. Wählen Sie eines mit höchstens 256 Zeichen.',
    unusable: () => 'In diesem Passwort ist ein Zeichen, das nicht verwendet werden kann. Wählen Sie ein anderes.',
    common: () => 'Dieses Passwort gehört zu denen, die zuerst geraten werden. Wählen Sie ein anderes.',
    personal: () =>
      'Dieses Passwort besteht aus Ihrem Namen, Ihrer Adresse oder dem Namen dieses Dienstes. Wählen Sie eines, das damit nichts zu tun hat.',
    guessable: () =>
      'Dieses Passwort ist leicht zu erraten: Es ist ein Muster oder eine Wiederholung. Wählen Sie ein paar Wörter, die niemand zusammenstellen würde.',
  },

  consent: {
    title: (client) => `${client} zulassen?`,
    heading: (client) => `Darf ${client} Ihr Konto verwenden?`,
    signedInAs: (username) => `Angemeldet als ${username}`,
    asks: 'Die Anwendung darf dann',
    claims: (names) => `diese Angaben von Ihnen sehen: ${names}`,
    offlineAccess: 'diesen Zugriff behalten, auch wenn Sie nicht da sind',
    resources: 'Sie darf dann diese Dienste nutzen',
    noPermission: 'ohne besondere Berechtigung',
    allow: 'Zulassen',
    deny: 'Nicht zulassen',
    scopes: {
      openid: 'erkennen, dass Sie es sind',
      profile: 'Ihren Namen, Ihr Bild und weitere Profilangaben sehen',
      email: 'Ihre E-Mail-Adresse sehen',
      address: 'Ihre Postanschrift sehen',
      phone: 'Ihre Telefonnummer sehen',
    },
    otherScope: (name) => `${name} verwenden`,
    claimNames: {
      sub: 'Kennung',
      name: 'Name',
      given_name: 'Vorname',
      family_name: 'Nachname',
      middle_name: 'zweiter Vorname',
      nickname: 'Spitzname',
      preferred_username: 'bevorzugter Benutzername',
      profile: 'Profilseite',
      picture: 'Bild',
      website: 'Website',
      email: 'E-Mail-Adresse',
      email_verified: 'ob die E-Mail-Adresse bestätigt ist',
      gender: 'Geschlecht',
      birthdate: 'Geburtsdatum',
      zoneinfo: 'Zeitzone',
      locale: 'Sprache',
      phone_number: 'Telefonnummer',
      phone_number_verified: 'ob die Telefonnummer bestätigt ist',
      address: 'Anschrift',
      updated_at: 'Zeitpunkt der letzten Änderung',
    },
  },

  logout: {
    title: 'Abmelden?',
    leaving: (client) =>
      `Sie verlassen ${client}. Wenn Sie sich hier abmelden, endet Ihre Sitzung: Die nächste Anmeldung fragt wieder nach Ihrem Passwort.`,
    ending:
      'Wenn Sie sich abmelden, endet Ihre Sitzung auf diesem Gerät: Die nächste Anmeldung fragt wieder nach Ihrem Passwort.',
    submit: 'Abmelden',
    stay: 'Angemeldet bleiben',
  },

  'signed-out': {
    title: 'Sie sind abgemeldet',
    left: (client) => `Sie haben ${client} verlassen.`,
    safe: 'Sie können dieses Fenster jetzt schließen.',
    back: (client) => `Zurück zu ${client}`,
  },

  'form-post': {
    title: 'Noch ein Schritt',
    lead: 'Ihr Browser führt keine Skripte aus, daher braucht es hier einen Klick.',
    submit: 'Weiter',
  },

  error: {
    title: (title) => `Fehler: ${title}`,
    facts: 'Geben Sie das an, wenn Sie um Hilfe bitten',
    request: 'Anfrage',
    error: 'Fehler',
    detail: 'Einzelheiten',
    notFound: {
      title: 'Seite nicht gefunden',
      message: 'Unter dieser Adresse gibt es keine Seite.',
      advice: 'Gehen Sie zurück zu der Anwendung, von der Sie kommen, und beginnen Sie dort von Neuem.',
    },
    again: 'Noch einmal versuchen',
    tooMany: {
      title: 'Zu viele Versuche',
      message: 'Zu viele Anmeldungen sind von dort, wo Sie sind, fehlgeschlagen.',
      advice: 'Warten Sie eine Viertelstunde und versuchen Sie es dann noch einmal.',
    },
    unavailable: {
      title: 'Etwas ist schiefgegangen',
      message: 'Der Anmeldedienst konnte gerade nicht antworten.',
      advice:
        'Warten Sie einen Moment und versuchen Sie es noch einmal. Wenn es wieder geschieht, nennen Sie Ihrer Administration die Nummer der Anfrage unten.',
    },
    unregistered: {
      title: 'Diese Anwendung kann Sie nicht anmelden',
      message: 'Die Anwendung, die Sie hierher geschickt hat, ist für diese Adresse nicht registriert.',
      advice:
        'Sie haben nichts falsch gemacht. Teilen Sie denen, die die Anwendung betreiben, mit, was auf dieser Seite steht.',
    },
    closed: {
      title: 'Diese Anmeldung ist nicht mehr offen',
      message: 'Sie hat zu lange gedauert, wurde in einem anderen Tab beendet oder in einem anderen Browser begonnen.',
      advice: 'Gehen Sie zurück zur Anwendung und melden Sie sich noch einmal an: Das ist ein Klick.',
    },
    refused: {
      title: 'Diese Anfrage kann nicht beantwortet werden',
      message: 'Die Anwendung hat Sie mit einer Anfrage hierher geschickt, die dieser Dienst nicht annimmt.',
      advice:
        'Gehen Sie zurück zur Anwendung und versuchen Sie es noch einmal. Wenn es wieder geschieht, teilen Sie denen, die sie betreiben, mit, was auf dieser Seite steht.',
    },
  },

  lostSignIn: {
    toApplication: 'Zur Anwendung',
    tryAgain: 'Noch einmal versuchen',
    carryOn: 'Weiter anmelden',
    goOn: 'Weiter',
    unknown: {
      title: 'Beginnen Sie bei Ihrer Anwendung',
      message:
        'Die Anmeldung beginnt bei der Anwendung, die Sie verwenden möchten: Öffnen Sie sie und melden Sie sich dort an.',
    },
    tooOld: {
      title: 'Diese Anmeldung ist nicht mehr offen',
      message: 'Sie wurde vor zu langer Zeit begonnen, daher muss die Anwendung sie neu beginnen.',
    },
    answered: {
      title: 'Diese Anmeldung ist abgeschlossen',
      message: 'Sie ist nicht mehr offen, denn die Anwendung hat Ihre Antwort schon.',
    },
    sentTwice: {
      title: 'Sie sind angemeldet',
      message: 'Das Formular wurde zweimal gesendet: Ein weiterer Klick führt zur Anwendung.',
    },
    noCookies: {
      title: 'Ihr Browser speichert keine Cookies',
      message: (host) =>
        `Die Anmeldung braucht sie: Erlauben Sie in Ihrem Browser Cookies für ${host} und versuchen Sie es noch einmal.`,
    },
    elsewhere: {
      title: 'Diese Anmeldung ist hier nicht mehr offen',
      message: 'Sie hat zu lange gedauert, wurde in einem anderen Tab beendet oder in einem anderen Browser begonnen.',
    },
  },

  'reset-password': {
    title: 'Passwort vergessen?',
    lead: 'Geben Sie den Namen oder die E-Mail-Adresse Ihres Kontos ein. Sie bekommen eine E-Mail mit einem Link, über den Sie ein neues Passwort wählen.',
    name: 'Benutzername oder E-Mail',
    submit: 'E-Mail senden',
    missing: 'Geben Sie Ihren Benutzernamen oder Ihre E-Mail-Adresse ein.',
    back: 'Zurück zur Anmeldung',
  },

  'choose-password': {
    reset: { title: 'Neues Passwort wählen', submit: 'Passwort speichern' },
    invitation: { title: 'Willkommen: Wählen Sie ein Passwort', submit: 'Passwort speichern' },
    signUp: { title: 'Wählen Sie ein Passwort', submit: 'Konto anlegen' },
    account: (username) => `Für das Konto ${username}`,
    password: 'Neues Passwort',
    hint: (length) => `Mindestens ${length} Zeichen. Am besten ein paar Wörter, die niemand errät.`,
  },

  'sign-up': {
    title: 'Konto anlegen',
    lead: 'Sie bekommen eine E-Mail mit einem Link, über den es weitergeht.',
    email: 'E-Mail-Adresse',
    name: 'Ihr Name (wenn Sie möchten)',
    submit: 'E-Mail senden',
    invalidEmail: 'Das ist keine E-Mail-Adresse. Prüfen Sie sie und versuchen Sie es noch einmal.',
    invalidName: 'Dieser Name ist zu lang oder hat Zeichen, die sich nicht anzeigen lassen.',
    back: 'Zurück zur Anmeldung',
  },

  'confirm-email': {
    title: 'E-Mail-Adresse bestätigen',
    lead: (email) => `Ist ${email} Ihre Adresse?`,
    account: (username) =>
      `Sie wird die Adresse des Kontos ${username}. Wenn das nicht Ihr Konto ist, schließen Sie diese Seite.`,
    submit: 'Ja, beides ist meins',
  },

  outcome: {
    signIn: 'Weiter zur Anmeldung',
    toAccount: 'Zu Ihrem Konto',
    askAgain: 'Neue E-Mail anfordern',
    back: 'Zurück zur Anmeldung',
    nothingThere: (tryAgain) => `Nichts angekommen? Sehen Sie im Spam-Ordner nach oder ${tryAgain}.`,
    tryAgain: 'versuchen Sie es noch einmal',
    resetSent: {
      title: 'Sehen Sie in Ihre E-Mails',
      message:
        'Wenn es ein Konto dieses Namens mit einer bestätigten E-Mail-Adresse gibt, ist eine E-Mail mit einem Link dorthin unterwegs. Der Link gilt einmal, 30 Minuten lang.',
    },
    signUpSent: {
      title: 'Sehen Sie in Ihre E-Mails',
      message:
        'Eine E-Mail an Ihre Adresse ist unterwegs; darin steht, wie es weitergeht. Ihr Link gilt einmal, 24 Stunden lang.',
    },
    passwordChanged: {
      title: 'Ihr Passwort ist geändert',
      message: 'Sie sind überall abgemeldet. Melden Sie sich mit dem neuen Passwort an.',
    },
    accountReady: {
      title: 'Ihr Konto ist bereit',
      message: 'Ihre E-Mail-Adresse ist bestätigt. Melden Sie sich mit Ihrem neuen Passwort an.',
    },
    passwordChosen: {
      title: 'Ihr Konto ist bereit',
      message: 'Melden Sie sich mit Ihrem neuen Passwort an.',
    },
    emailConfirmed: {
      title: 'Ihre E-Mail-Adresse ist bestätigt',
      message: 'Das ist alles. Sie können dieses Fenster schließen.',
    },
    linkGone: {
      title: 'Dieser Link gilt nicht mehr',
      message: 'Er wurde schon benutzt, ist zu alt, oder eine neuere E-Mail hat ihn ersetzt.',
    },
    invitationGone: {
      title: 'Dieser Link gilt nicht mehr',
      message:
        'Er wurde schon benutzt, ist zu alt, oder ein neuerer hat ihn ersetzt. Wenn Sie schon ein Passwort gewählt haben, melden Sie sich an. Wenn nicht, bitten Sie die Person, die Sie eingeladen hat, um einen neuen Link.',
    },
    addressTaken: {
      title: 'Diese Adresse gehört zu einem anderen Konto',
      message: 'Melden Sie sich bei diesem Konto an oder verwenden Sie eine andere Adresse.',
    },
  },

  letters: {
    greeting: 'Guten Tag,',
    passwordReset: {
      subject: (installation) => `Neues Passwort für ${installation}`,
      before: (username) =>
        `jemand hat ein neues Passwort für Ihr Konto ${username} angefordert. Wenn Sie es waren, öffnen Sie diesen Link und wählen Sie eines:`,
      after:
        'Der Link gilt einmal, 30 Minuten lang. Wenn Sie es nicht waren, tun Sie nichts: Ihr Passwort bleibt, wie es ist.',
    },
    passwordChanged: {
      subject: (installation) => `Ihr Passwort für ${installation} wurde geändert`,
      before: (username, at) =>
        `das Passwort Ihres Kontos ${username} wurde geändert: ${at}. Wenn Sie es waren, ist nichts zu tun.\n\nWenn Sie es nicht waren, fordern Sie sofort ein neues Passwort an und sagen Sie denen Bescheid, die den Dienst betreiben:`,
    },
    signInChanged: {
      changes: {
        passkeyAdded: {
          subject: (installation) => `Ihr Konto für ${installation} hat einen neuen Passkey`,
          before: (username, at) =>
            `zu Ihrem Konto ${username} wurde ein Passkey hinzugefügt: ${at}. Damit kann man sich bei Ihrem Konto anmelden.`,
        },
        passkeyRemoved: {
          subject: (installation) => `Ein Passkey Ihres Kontos für ${installation} wurde entfernt`,
          before: (username, at) =>
            `ein Passkey Ihres Kontos ${username} wurde entfernt: ${at}. Mit ihm können Sie sich nicht mehr anmelden.`,
        },
        appAdded: {
          subject: (installation) => `Ihr Konto für ${installation} hat eine neue Authenticator-App`,
          before: (username, at) =>
            `für Ihr Konto ${username} wurde eine Authenticator-App eingerichtet: ${at}. Codes einer früheren gelten nicht mehr.`,
        },
        appRemoved: {
          subject: (installation) => `Die Authenticator-App Ihres Kontos für ${installation} wurde entfernt`,
          before: (username, at) =>
            `die Authenticator-App Ihres Kontos ${username} wurde entfernt: ${at}. Ihre Codes werden nicht mehr verlangt.`,
        },
        identityLinked: {
          subject: (installation) => `Ihr Konto für ${installation} wurde mit einem Konto anderswo verbunden`,
          before: (username, at, elsewhere) =>
            `Ihr Konto ${username} wurde mit einem Konto bei ${elsewhere} verbunden: ${at}. Damit kann man sich bei Ihrem Konto anmelden.`,
        },
        identityUnlinked: {
          subject: (installation) => `Ein Konto anderswo wurde von Ihrem Konto für ${installation} getrennt`,
          before: (username, at, elsewhere) =>
            `ein Konto bei ${elsewhere} wurde von Ihrem Konto ${username} getrennt: ${at}. Damit können Sie sich hier nicht mehr anmelden.`,
        },
      },
      advice:
        'Wenn Sie es waren, ist nichts zu tun.\n\nWenn Sie es nicht waren, melden Sie sich an, machen Sie es rückgängig, wählen Sie ein anderes Passwort und sagen Sie denen Bescheid, die den Dienst betreiben:',
    },
    invitation: {
      subject: (installation) => `Ihr Konto für ${installation}`,
      before: (installation) =>
        `bei ${installation} gibt es ein Konto für Sie. Öffnen Sie diesen Link, um sein Passwort zu wählen:`,
      after: 'Der Link gilt einmal, 7 Tage lang. Wenn Sie kein Konto erwarten, tun Sie nichts.',
    },
    emailVerification: {
      subject: (installation) => `Bestätigen Sie Ihre E-Mail-Adresse für ${installation}`,
      before: (installation) =>
        `jemand hat diese E-Mail-Adresse für ein Konto bei ${installation} angegeben. Wenn Sie es waren, bestätigen Sie sie hier:`,
      after: 'Der Link gilt einmal, 24 Stunden lang. Wenn Sie es nicht waren, tun Sie nichts.',
    },
    signUp: {
      subject: (installation) => `Ihr neues Konto für ${installation}`,
      before: (installation) =>
        `jemand möchte mit dieser E-Mail-Adresse ein Konto bei ${installation} anlegen. Wenn Sie es waren, geht es hier weiter:`,
      after: 'Der Link gilt einmal, 24 Stunden lang. Wenn Sie es nicht waren, tun Sie nichts: Es gibt kein Konto.',
    },
    alreadySignedUp: {
      subject: (installation) => `Sie haben ein Konto für ${installation}`,
      before: (installation) =>
        `jemand wollte mit dieser E-Mail-Adresse ein Konto bei ${installation} anlegen, aber sie gehört schon zu einem Konto.\n\nWenn Sie es waren, melden Sie sich bei diesem an. Wenn Sie sein Passwort vergessen haben, wählen Sie ein neues:`,
      after: 'Wenn Sie es nicht waren, tun Sie nichts.',
    },
    emailChanged: {
      subject: (installation) => `Die E-Mail-Adresse Ihres Kontos für ${installation} wurde geändert`,
      before: (username, at) =>
        `die E-Mail-Adresse Ihres Kontos ${username} wurde geändert: ${at}. Diese hier gehört nicht mehr dazu. Wenn Sie es waren, ist nichts zu tun.\n\nWenn Sie es nicht waren, sagen Sie sofort denen Bescheid, die den Dienst betreiben.`,
    },
  },

  home: {
    heading: 'Dies ist ein Anmeldedienst',
    lead: 'Sie müssen hier nichts tun. Anwendungen schicken Sie an diese Adresse, wenn Sie sich bei ihnen anmelden.',
    developers: 'Für Entwicklerinnen und Entwickler',
    issuer: (issuer) => `Issuer: ${issuer}`,
    discovery: 'Metadaten des Providers (Discovery)',
    keys: 'Öffentliche Schlüssel (JWKS)',
    health: 'Zustand',
    account: 'Ihr Konto',
  },

  accountFrame: {
    title: 'Ihr Konto',
    pageTitle: (page) => `${page} – Ihr Konto`,
    navigation: 'Seiten Ihres Kontos',
    signedInAs: (username) => `Angemeldet als ${username}`,
    signOut: 'Abmelden',
    back: 'Zurück',
    change: 'Ändern',
    links: {
      overview: 'Übersicht',
      profile: 'Profil',
      password: 'Passwort',
      sessions: 'Wo Sie angemeldet sind',
      applications: 'Anwendungen',
      activity: 'Letzte Ereignisse',
      identities: 'Konten anderswo',
      authenticator: 'Authenticator-App',
      passkeys: 'Passkeys',
    },
    outcomes: {
      emailSent: 'Eine E-Mail an die neue Adresse ist unterwegs. Die Adresse gilt, sobald Sie dem Link darin folgen.',
      emailSaved: 'Ihre E-Mail-Adresse ist geändert.',
      passwordChanged: 'Ihr Passwort ist geändert, und Sie sind überall sonst abgemeldet.',
      sessionEnded: 'Sie sind dort abgemeldet.',
      sessionGone: 'Diese Anmeldung war schon beendet.',
      othersEnded: 'Sie sind überall sonst abgemeldet.',
      accessEnded: 'Die Anwendung hat keinen Zugriff mehr.',
      accessGone: 'Diese Anwendung hatte schon keinen Zugriff mehr.',
      authenticatorOff: 'Die Authenticator-App wird nicht mehr verlangt.',
      recoveryCodesKept: 'Ihre Wiederherstellungscodes sind bereit.',
      identityLinked: 'Sie können sich jetzt mit diesem Konto anmelden.',
      identityUnlinked: 'Mit diesem Konto können Sie sich hier nicht mehr anmelden.',
      passkeyAdded: 'Mit diesem Passkey können Sie sich jetzt anmelden.',
      passkeyRenamed: 'Ihr Passkey hat jetzt einen anderen Namen.',
      passkeyRemoved: 'Mit diesem Passkey können Sie sich nicht mehr anmelden.',
      profileSaved: 'Ihr Profil ist gespeichert.',
    },
    lost: {
      title: 'Diese Anmeldung ist nicht mehr offen',
      message:
        'Sie hat zu lange gedauert oder wurde in einem anderen Browser begonnen. Gehen Sie weiter, und Sie sind da.',
      carryOn: 'Weiter zu Ihrem Konto',
    },
    oldForm: {
      title: 'Es wurde nichts geändert',
      message: 'Die Seite war zu lange offen oder kam von anderswo. Gehen Sie weiter und tun Sie es dort.',
      carryOn: 'Weiter',
    },
  },

  'account-identities': {
    title: 'Konten anderswo',
    lead: 'Mit diesen können Sie sich hier anmelden.',
    nothing: 'Noch keine.',
    since: 'Verbunden',
    remove: 'Trennen',
    removeWhich: (name, label) => `${label} bei ${name} trennen`,
    add: (name) => `${name} verbinden`,
    taken: (name, label) => `${label} bei ${name} ist hier mit einem anderen Konto verbunden.`,
    last: 'Das ist der einzige Weg in Ihr Konto: Wählen Sie erst ein Passwort, dann trennen Sie es.',
  },

  'account-passkeys': {
    title: 'Passkeys',
    lead: 'Mit einem Passkey melden Sie sich an, indem Sie Ihr Gerät entsperren: nichts zu merken, und nichts, was Ihnen eine falsche Seite stehlen könnte.',
    none: 'Sie haben noch keinen Passkey.',
    add: 'Passkey hinzufügen',
    unnamed: 'Passkey',
    created: 'Hinzugefügt',
    lastUsed: 'Zuletzt benutzt',
    unused: 'Noch nicht benutzt',
    changeWhich: (name) => `${name} ändern`,
  },

  'account-passkey-add': {
    title: 'Passkey hinzufügen',
    lead: 'Ihr Browser fragt, wo er ihn aufbewahren soll: auf diesem Gerät, in einem Passwortmanager, auf Ihrem Telefon oder auf einem Sicherheitsschlüssel.',
    asksMore:
      'Von da an genügt Ihr Passwort allein nicht mehr zum Anmelden: Es braucht auch einen Passkey oder einen Wiederherstellungscode.',
    submit: 'Passkey hinzufügen',
    refused:
      'Dieser Passkey ließ sich nicht hinzufügen. Versuchen Sie es noch einmal oder wählen Sie einen anderen Ort dafür.',
  },

  'account-passkey': {
    title: 'Passkey ändern',
    name: 'Name',
    rename: 'Namen speichern',
    badName: 'Wählen Sie einen Namen mit 1 bis 64 Zeichen.',
    removal: 'Diesen Passkey entfernen',
    removalHint:
      'Er meldet Sie hier nicht mehr an. Entfernen Sie ihn auch auf Ihrem Gerät oder in Ihrem Passwortmanager.',
    password: 'Ihr Passwort',
    remove: 'Entfernen',
    required:
      'Ihr Konto braucht einen zweiten Schritt, deshalb lässt sich der letzte nicht entfernen. Fügen Sie zuerst einen weiteren Passkey oder eine App hinzu.',
    onlyWay:
      'Sie haben kein Passwort, deshalb lässt sich der letzte Passkey nicht entfernen. Fügen Sie zuerst einen weiteren hinzu.',
    wrongPassword: 'Das ist nicht Ihr Passwort. Versuchen Sie es noch einmal.',
    weakPassword:
      'Ihr Passwort ist zu kurz oder zu leicht zu erraten, um allein zu genügen. Wählen Sie zuerst ein längeres, dann entfernen Sie den Passkey.',
  },

  'account-authenticator': {
    title: 'Authenticator-App',
    on: 'Beim Anmelden werden Sie nach einem Code aus Ihrer Authenticator-App gefragt.',
    off: 'Mit einer App auf Ihrem Telefon, die Codes zeigt, genügt ein gestohlenes Passwort nicht, um sich als Sie anzumelden.',
    setUp: 'App einrichten',
    replace: 'Eine andere App an ihrer Stelle einrichten',
    recoveryCodes: 'Wiederherstellungscodes',
    left: (count) =>
      count === 0
        ? 'Sie haben keine mehr. Machen Sie neue, falls Sie Ihr Telefon oder Ihren Passkey verlieren.'
        : `Sie haben noch ${count}. Neue ersetzen sie.`,
    renew: 'Neue Wiederherstellungscodes machen',
    removal: 'App entfernen',
    removalHint: 'Codes aus ihr werden nicht mehr verlangt.',
    password: 'Ihr Passwort',
    remove: 'Entfernen',
    required:
      'Ihr Konto braucht einen zweiten Schritt, deshalb lässt sich dieser nicht entfernen. Sie können eine andere App an ihrer Stelle einrichten.',
    wrongPassword: 'Das ist nicht Ihr Passwort. Versuchen Sie es noch einmal.',
    weakPassword:
      'Ihr Passwort ist zu kurz oder zu leicht zu erraten, um allein zu genügen. Wählen Sie zuerst ein längeres und entfernen Sie dann die App.',
  },

  'account-authenticator-set-up': { title: 'Authenticator-App einrichten', ...authenticatorSteps },

  'account-recovery-codes': recoveryCodes,

  'account-profile': {
    title: 'Profil',
    name: 'Name',
    nameHint: 'Wie Anwendungen Sie nennen. Sie können ihn leer lassen.',
    username: 'Benutzername',
    email: 'E-Mail-Adresse',
    confirmed: 'bestätigt',
    unconfirmed: 'nicht bestätigt',
    noEmail: 'keine',
    save: 'Speichern',
    changeEmail: 'E-Mail-Adresse ändern',
    unusable: 'Dieser Name ist zu lang oder hat Zeichen, die sich nicht zeigen lassen. Wählen Sie einen anderen.',
  },

  'account-email': {
    title: 'E-Mail-Adresse',
    email: 'Neue E-Mail-Adresse',
    hint: 'Wir schicken eine E-Mail dorthin. Die Adresse gilt, sobald Sie dem Link darin folgen; bis dahin ändert sich nichts.',
    submit: 'Adresse ändern',
    unusable: 'Diese Adresse lässt sich hier nicht verwenden. Prüfen Sie sie oder wählen Sie eine andere.',
    tooMany: 'Es wurden zu viele E-Mails angefordert. Warten Sie eine Stunde und versuchen Sie es dann noch einmal.',
  },

  'account-password': {
    title: 'Passwort',
    current: 'Bisheriges Passwort',
    password: 'Neues Passwort',
    hint: (minimum) =>
      `Mindestens ${minimum} Zeichen. Einige Wörter, die niemand zusammenstellen würde, kann man sich gut merken.`,
    ends: 'Wenn Sie ein neues Passwort speichern, werden Sie überall sonst abgemeldet.',
    submit: 'Passwort ändern',
    choose: 'Passwort setzen',
    wrong: 'Das ist nicht Ihr bisheriges Passwort. Prüfen Sie es und versuchen Sie es noch einmal.',
  },

  'account-sessions': {
    title: 'Wo Sie angemeldet sind',
    here: 'Dieser Browser',
    unknownBrowser: 'Unbekannter Browser',
    on: (browser, system) => `${browser} auf ${system}`,
    from: (address) => `Von ${address}`,
    signedIn: (moment) => `Angemeldet ${moment}`,
    used: (moment) => `Zuletzt benutzt ${moment}`,
    clients: (names) => `Benutzt für ${names}`,
    end: 'Abmelden',
    endOf: (browser) => `Abmelden: ${browser}`,
    everywhere: 'Überall sonst',
    everywhereHint:
      'Beendet jede andere Anmeldung und allen Zugriff, den Anwendungen von dort haben, auch den, den sie in Ihrer Abwesenheit behalten sollten.',
    endOthers: 'Überall sonst abmelden',
  },

  'account-applications': {
    title: 'Anwendungen',
    lead: 'Diese Anwendungen haben Zugriff auf Ihr Konto.',
    none: 'Keine Anwendung hat Zugriff auf Ihr Konto.',
    since: (moment) => `Seit ${moment}`,
    access: (what) => `Darf: ${what}`,
    offline: 'Behält ihren Zugriff, auch wenn Sie nicht da sind',
    revoke: 'Zugriff beenden',
    revokeOf: (name) => `Zugriff beenden: ${name}`,
    hint: 'Sie muss Sie wieder fragen, wenn Sie sich das nächste Mal bei ihr anmelden, außer sie gehört zu diesem Dienst.',
  },

  'account-activity': {
    title: 'Letzte Ereignisse',
    lead: 'Wenn Sie etwas davon nicht kennen, ändern Sie Ihr Passwort.',
    none: 'Es ist noch nichts geschehen.',
    from: (address) => `von ${address}`,
    to: (client) => `für ${client}`,
    events: {
      loginSucceeded: 'Angemeldet',
      logoutSucceeded: 'Abgemeldet',
      secondFactorFailed: 'Ein Code des zweiten Schritts war falsch',
      secondFactorEnrolled: 'Authenticator-App eingerichtet',
      secondFactorRemoved: 'Authenticator-App entfernt',
      recoveryCodeUsed: 'Mit einem Wiederherstellungscode angemeldet',
      recoveryCodesReplaced: 'Neue Wiederherstellungscodes',
      passkeyAdded: 'Passkey hinzugefügt',
      passkeyRemoved: 'Passkey entfernt',
      passkeyRefused: 'Ein Passkey wurde abgelehnt',
      identityLinked: 'Konto anderswo verbunden',
      identityUnlinked: 'Konto anderswo getrennt',
      consentGranted: 'Zugriff gegeben',
      consentRefused: 'Zugriff verweigert',
      accessEnded: 'Zugriff beendet',
      passwordResetRequested: 'Eine E-Mail für ein neues Passwort wurde angefordert',
      passwordReset: 'Neues Passwort über den Link einer E-Mail',
      passwordChanged: 'Passwort geändert',
      profileChanged: 'Profil geändert',
      emailChangeRequested: 'Eine andere E-Mail-Adresse angegeben',
      emailVerified: 'E-Mail-Adresse bestätigt',
      sessionEnded: 'Anderswo abgemeldet',
      otherSessionsEnded: 'Überall sonst abgemeldet',
      invitationAccepted: 'Einladung angenommen',
      signedUp: 'Konto angelegt',
      codeReplayed: 'Der Zugriff einer Anwendung wurde missbraucht und ist beendet',
      refreshTokenReused: 'Der Zugriff einer Anwendung wurde doppelt benutzt und ist beendet',
    },
  },

  account: {
    title: 'Ihr Konto',
    username: 'Benutzername',
    name: 'Name',
    email: 'E-Mail-Adresse',
    change: (what) => `${what} ändern`,
    none: 'nicht angegeben',
    unverified: (email) => `${email} (nicht bestätigt)`,
    topics: {
      password: 'Das Passwort ändern, mit dem Sie sich anmelden.',
      authenticator: 'Auch einen Code von Ihrem Telefon verlangen, damit ein gestohlenes Passwort nicht genügt.',
      passkeys: 'Sich ohne Passwort anmelden, indem Sie Ihr Gerät entsperren.',
      sessions: 'Sehen, wo Sie angemeldet sind, und sich anderswo abmelden.',
      applications: 'Sehen, welche Anwendungen auf Ihr Konto zugreifen, und den Zugriff beenden.',
      activity: 'Sehen, was in Ihrem Konto zuletzt geschehen ist.',
    },
  },
};
