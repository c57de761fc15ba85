// What the box itself says, in the reader's language: German by the code of it, else in the box's own words, which in
// English say more. A code that is not here stays English.

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
  'not-compared': 'Der Vergleich gilt nicht. Nehmen Sie eine ruhige Last, prüfen Sie Zange und Wert, und versuchen Sie es noch einmal.',
  'nothing-to-undo': 'Es gibt nichts zurückzunehmen.',
  'undo-first': 'Nehmen Sie zuerst die spätere Korrektur zurück.',
};

export function spoken(code: string, text: string, params: Params = {}): string {
  const word = preferences.language === 'de' ? german[code] : undefined;
  const told = word === undefined ? text : fill(word, params);
  // The box did not say all that the German sentence needs.
  return told.includes('{') ? text : told;
}
