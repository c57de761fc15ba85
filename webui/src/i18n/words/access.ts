import type { Word } from '../t';

export const access = {
  'setup.title': ['Your box, your password', 'Ihre Box, Ihr Passwort'],
  'setup.lead': ['This box has no default password. Choose one; whoever knows it can change limits and settings.', 'Diese Box hat kein Standardpasswort. Wählen Sie eines; wer es kennt, kann Grenzen und Einstellungen ändern.'],
  'setup.submit': ['Set password', 'Passwort setzen'],
  'setup.lost': ['Keep it safe. It cannot be read back; a lost password takes a reset at the box.', 'Bewahren Sie es gut auf. Es lässt sich nicht auslesen; bei Verlust hilft nur ein Zurücksetzen an der Box.'],

  'login.title': ['Sign in', 'Anmelden'],
  'login.submit': ['Sign in', 'Anmelden'],
  'login.wrong': ['That is not the password.', 'Das ist nicht das Passwort.'],
  'login.slow': ['Too many tries. Wait a moment, then try again.', 'Zu viele Versuche. Warten Sie einen Moment.'],
  'login.over': ['You have been signed out.', 'Sie wurden abgemeldet.'],

  'password.label': ['Password', 'Passwort'],
  'password.new': ['New password', 'Neues Passwort'],
  'password.old': ['Present password', 'Bisheriges Passwort'],
  'password.again': ['Repeat it', 'Wiederholen'],
  'password.show': ['Show password', 'Passwort zeigen'],
  'password.short': ['{n} character to go, at least 10.|{n} characters to go, at least 10.', 'Noch {n} Zeichen, mindestens 10.'],
  'password.weak': ['Weak: easy to guess.', 'Schwach: leicht zu erraten.'],
  'password.fair': ['Fair. A few more words make it strong.', 'Brauchbar. Ein paar Wörter mehr machen es stark.'],
  'password.strong': ['Strong.', 'Stark.'],
  'password.hint': ['At least 10 characters. Four unrelated words are easy to keep in mind and hard to guess.', 'Mindestens 10 Zeichen. Vier Wörter ohne Zusammenhang merkt man sich leicht und errät man schwer.'],
  'password.differs': ['The two do not match.', 'Die beiden stimmen nicht überein.'],
  'password.changed': ['The password has been changed.', 'Das Passwort ist geändert.'],

  'welcome.title': ['Welcome', 'Willkommen'],
  'welcome.lead': ['Three steps, and this box looks after the site.', 'Drei Schritte, dann kümmert sich die Box um die Anlage.'],
  'welcome.circuits': ['Enter the circuits and their fuses.', 'Stromkreise und ihre Sicherungen eintragen.'],
  'welcome.meters': ['Name the meter or clamps that measure the grid connection.', 'Den Zähler oder die Wandler nennen, die den Netzanschluss messen.'],
  'welcome.chargers': ['Add the chargers. Those that speak OCPP appear here by themselves and wait for your click.', 'Die Ladepunkte hinzufügen. Solche mit OCPP erscheinen hier von selbst und warten auf Ihren Klick.'],
  'welcome.done': ['Done:', 'Erledigt:'],
  'welcome.go': ['Set up in three steps', 'In drei Schritten einrichten'],
  'door.ocpp': ['Enter in each OCPP charger as the address of its back office:', 'In jedem OCPP-Ladepunkt als Adresse seines Backends eintragen:'],
  'door.name': ['its name', 'sein Name'],
  'welcome.later': ['To the dashboard', 'Zur Übersicht'],
} satisfies Record<string, Word>;
