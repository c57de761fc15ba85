// What the box itself says, in the reader's language: German by the code of it, else in the box's own words, which in
// English say more. A code that is not here stays English.

import type { Alert } from '../state/live.svelte';
import { preferences } from '../state/preferences.svelte';
import { fill, type Params } from './t';

const german: Record<string, string> = {
  'wrong-machine': 'Dieses Bundle ist für eine andere Maschine: für {found}, diese Box ist {here}. Nehmen Sie das Bundle für diese Box.',
  older: 'Dieses Bundle ist älter als das, was läuft: {found} statt {here}. Nehmen Sie ein neueres.',
  'wrong-signature': 'Dieses Bundle ist beschädigt oder nicht mit einem Schlüssel signiert, dem diese Box traut. Holen Sie es vom Hersteller der Box.',
  'not-a-bundle': 'Das ist kein Bundle, oder es ist unvollständig oder nicht signiert. Laden Sie es noch einmal herunter.',
  damaged: 'Dieses Bundle ist unvollständig oder beschädigt. Laden Sie es noch einmal herunter.',
  'not-fetched': 'Das Bundle war unter dieser Adresse nicht zu holen. Prüfen Sie die Adresse und das Netz der Box.',
  'no-space': 'Für dieses Bundle ist kein Platz. Wenden Sie sich an den Hersteller der Box.',
  'wrong-size': 'Diese Datei kann kein Bundle sein: Sie ist leer oder zu groß. Nehmen Sie eine, die auf .raucb endet.',
  'bad-address': 'Das ist keine Adresse eines Bundles. Schreiben Sie sie wie https://example.com/dlb.raucb.',
  'not-now': 'Das geht im Augenblick nicht. Oben steht, was gerade geschieht.',
  'no-upload': 'Es wird gerade nichts hochgeladen. Beginnen Sie von vorn.',
  'wrong-piece': 'Beim Hochladen ging ein Stück verloren. Wählen Sie dieselbe Datei noch einmal.',
  disk: 'Der Speicher der Box nimmt nichts an. Versuchen Sie es noch einmal.',
  'not-restarted': 'Die Box sollte in die neue Version starten und tat es nicht. Schalten Sie sie aus und wieder ein.',
  'no-appliance': 'Das ist keine Box mit zwei Systemen; Aktualisierungen kommen so, wie das Programm kam.',
  done: '{to} läuft und hat sich bewährt.',
  interrupted: 'Das Schreiben von {to} wurde unterbrochen. Nichts hat sich geändert, {from} läuft. Installieren Sie noch einmal.',
  'not-up': '{to} kam nicht bis zum Programm. Die Box kehrte von selbst zu {from} zurück.',
  'not-proved': '{to} startete, bewährte sich aber nicht. Die Box kehrte von selbst zu {from} zurück.',
  'no-backup': 'Diese Datei ist keine Sicherung von dlb, oder eine spätere Version hat sie gemacht.',
  'not-written': 'Der Speicher der Box nahm nicht alles an. Versuchen Sie es noch einmal.',
  busy: 'Die Box ist beschäftigt. Versuchen Sie es in einigen Sekunden noch einmal.',
  fault: 'Das ist der Box nicht gelungen. Versuchen Sie es noch einmal; mehr steht in ihrem Protokoll.',
  'bad-field': 'Ein Wert fehlt oder passt nicht: {field}.',
  'too-large': 'Das ist zu groß.',
  'bad-body': 'Es kam nicht alles an. Versuchen Sie es noch einmal.',
  'slow-body': 'Es kam zu langsam an. Versuchen Sie es noch einmal.',
  'foreign-page': 'Die Anfrage kam von einer fremden Seite. Nehmen Sie die der Box.',
  'not-local': 'Das erste Passwort wird nur unter der Adresse oder dem lokalen Namen der Box gewählt.',
  'password-set': 'Es gibt schon ein Passwort. Melden Sie sich damit an.',
  'no-password': 'Es gibt noch kein Passwort. Laden Sie die Seite neu.',
  'no-such-charger': 'Diesen Ladepunkt gibt es nicht mehr.',
  'no-such-output': 'Dieses Relais gibt es nicht.',
  'no-such-version': 'Diese Version gibt es nicht mehr.',
  'not-waiting': 'Dieser Ladepunkt wartet nicht mehr.',
  'no-such-channel': 'Diesen Kanal gibt es nicht.',
  'not-compared': 'Der Vergleich gilt nicht. Nehmen Sie eine ruhige Last, prüfen Sie Wandler und Wert, und versuchen Sie es noch einmal.',
  'nothing-to-undo': 'Es gibt nichts zurückzunehmen.',
  'undo-first': 'Nehmen Sie zuerst die spätere Korrektur zurück.',

  // Alerts and events.
  'meter-lost': '{about} antwortet nicht. Bis er wieder da ist, gelten sichere feste Grenzen. Prüfen Sie Leitung und Versorgung.',
  'samples-lost': 'Abtastwerte der Stromwandler gehen verloren: Diese Maschine ist zu langsam für ihren Wandlerbaustein, oder sie war beschäftigt. Geben Sie dlb Echtzeit-Vorrang (LimitRTPRIO=50) oder senken Sie sample_rate_hz.',
  'meter-backwards': '{about} zeigt weniger, wenn Autos mehr ziehen: Seine Wandler sitzen verkehrt herum. Bis Autos etwas anderes gezeigt haben, gelten dort feste Grenzen. Drehen Sie die Wandler um, oder tauschen Sie ihre Adern.',
  'charger-lost': '{about} ist nicht erreichbar. Was er noch ziehen kann, ist reserviert. Prüfen Sie Netzwerk und Versorgung.',
  'charger-disobeys': '{about} zieht mehr als erlaubt. Was er zieht, ist reserviert. Schalten Sie sein eigenes Lastmanagement ab oder tauschen Sie ihn.',
  'limit-refused': '{about} lehnt seine Grenze ab. Seine letzte Grenze bleibt reserviert. Prüfen Sie in seinen Einstellungen das Lademanagement (Smart Charging).',
  'charger-clock': 'Die Uhr von {about} geht falsch, seine eigenen Aufzeichnungen tragen falsche Zeiten: Stellen Sie auf seiner eigenen Seite oder in seiner App den Zeitserver und die Zeitzone (UTC) ein.',
  'broker-away': 'Der MQTT-Broker ist nicht erreichbar. Prüfen Sie, ob er läuft und ob die Adresse stimmt. Die Regelung läuft weiter.',
  'broker-login': 'Der MQTT-Broker lehnt die Anmeldung ab. Tragen Sie in den Broker-Einstellungen Benutzername und Passwort so ein, wie der Broker sie kennt.',
  'broker-tls': 'Die verschlüsselte Verbindung zum MQTT-Broker kommt nicht zustande. Prüfen Sie sein Zertifikat, und dass er TLS 1.2 oder 1.3 anbietet.',
  'broker-no-tls': 'Unter dieser Adresse spricht der MQTT-Broker kein TLS. Geben Sie seinen TLS-Port an, meist 8883; nur in einem Netz, dem Sie vertrauen, schreiben Sie mqtt:// statt mqtts://.',
  'broker-unknown-issuer': 'Das Zertifikat des MQTT-Brokers stammt von einer Zertifizierungsstelle (CA), die diese Box nicht kennt. Geben Sie deren Zertifikat in den Broker-Einstellungen an.',
  'broker-other-issuer': 'Das Zertifikat des MQTT-Brokers stammt nicht von der angegebenen Zertifizierungsstelle (CA). Geben Sie in den Broker-Einstellungen die richtige an, oder das Zertifikat des Brokers selbst.',
  'broker-wrong-name': 'Das Zertifikat des MQTT-Brokers ist auf einen anderen Namen ausgestellt. Geben Sie seine Adresse mit einem Namen an, der im Zertifikat steht, oder dieses Zertifikat selbst.',
  'broker-expired': 'Das Zertifikat des MQTT-Brokers ist abgelaufen. Erneuern Sie es dort; ist es noch gültig, geht die Uhr dieser Box falsch.',
  'broker-not-yet-valid': 'Das Zertifikat des MQTT-Brokers gilt noch nicht. Die Uhr dieser Box geht falsch oder die des Rechners, der es ausgestellt hat.',
  'broker-wants-certificate': 'Der MQTT-Broker verlangt ein Zertifikat von der Box, die keines hat. Lassen Sie ihn stattdessen nach Benutzer und Passwort fragen.',
  'no-fallback': '{about} senkt sich nicht von selbst, wenn er nichts hört. Ist er nicht erreichbar, zählt sein Nennstrom.',
  'limit-by-input': 'Eine Grenze von außen ist in Kraft (Kontakt {about}).',
  'load-shed': 'Ein Relais der Box ({about}) wirft Last ab, weil ein Stromkreis über seiner Grenze war.',
  'contactor-tripped': 'Das Relais {about} hat den Schütz der Ladepunkte geöffnet, weil ein Stromkreis über seiner Grenze blieb. Finden Sie, was zu viel zieht, und schließen Sie ihn dann wieder.',
  'input-lost': 'Kontakt {about} lässt sich nicht lesen. Prüfen Sie die GPIO-Leitung in den Einstellungen.',
  overload: '{about} liegt über der Grenze. Die Ladepunkte werden gesenkt.',
  'overload-over': '{about} lag über der Grenze; es ist vorbei.',
  lockout: '{about} ist nach EREC G100 gesperrt. Die Ladepunkte sind aus, bis ein Installateur zurücksetzt.',
  'overload-by-others': '{about} ist ohne jedes Laden über der Grenze. Schalten Sie etwas ab.',
  'limit-met': 'Die Grenze durch {about} ist eingehalten.',
  'history-corrupt': 'Der Verlauf war beschädigt: Ein neuer ist begonnen, der alte liegt daneben.',
  'journal-corrupt': 'Das Protokoll der Ladevorgänge war beschädigt: Ein neues ist begonnen, das alte liegt daneben.',
  'history-unavailable': 'Der Verlauf lässt sich nicht schreiben. Ist der Speicher voll?',
  'journal-unavailable': 'Ladevorgänge lassen sich nicht aufschreiben. Ist der Speicher voll?',
};

export function spoken(code: string, text: string, params: Params = {}): string {
  const word = preferences.language === 'de' ? german[code] : undefined;
  const told = word === undefined ? text : fill(word, params);
  // The box did not say all that the German sentence needs.
  return told.includes('{') ? text : told;
}

export function alertText({ code, text, about }: Pick<Alert, 'code' | 'text' | 'about'>): string {
  return spoken(code, text, { about });
}
