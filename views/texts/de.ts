// Every text that a person sees, in German.
import type { Texts } from './en.ts';

export const de: Texts = {
  language: 'de',

  shared: {
    privacyPolicy: 'Datenschutzerklärung',
    termsOfService: 'Nutzungsbedingungen',
    opensInNewWindow: '(öffnet ein neues Fenster)',
  },

  login: {
    title: 'Anmelden',
    titleFor: (client) => `Bei ${client} anmelden`,
    lead: (client) => `weiter zu ${client}`,
    name: 'Benutzername oder E-Mail',
    password: 'Passwort',
    submit: 'Anmelden',
    cancel: 'Abbrechen',
    refused:
      'Name und Passwort passen nicht zusammen. Prüfen Sie beides und versuchen Sie es noch einmal, nach vielen Versuchen erst in einigen Minuten.',
    otherAccount: 'Die Anwendung verlangt ein anderes Konto. Melden Sie sich mit diesem an.',
  },

  consent: {
    title: (client) => `${client} zulassen?`,
    heading: (client) => `Darf ${client} Ihr Konto verwenden?`,
    signedInAs: (username) => `Angemeldet als ${username}`,
    asks: 'Die Anwendung darf dann',
    claims: (names) => `Diese Angaben von Ihnen sehen: ${names}`,
    offlineAccess: 'Diesen Zugriff behalten, auch wenn Sie nicht da sind',
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
    toStart: 'Zur Startseite',
    toApplication: 'Zur Anwendung',
    tryAgain: 'Noch einmal versuchen',
    carryOn: 'Weiter anmelden',
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

  home: {
    heading: 'Dies ist ein Anmeldedienst',
    lead: 'Sie müssen hier nichts tun. Anwendungen schicken Sie an diese Adresse, wenn Sie sich bei ihnen anmelden.',
    developers: 'Für Entwicklerinnen und Entwickler',
    issuer: (issuer) => `Issuer: ${issuer}`,
    discovery: 'Metadaten des Providers (Discovery)',
    keys: 'Öffentliche Schlüssel (JWKS)',
    health: 'Zustand',
  },
};
