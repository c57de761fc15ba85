import type { Word } from '../t';

export const form = {
  'form.needed': ['This is needed.', 'Das wird gebraucht.'],
  'form.range': ['Between {low} and {high} {unit}.', 'Zwischen {low} und {high} {unit}.'],

  'form.number': ['This is no number.', 'Das ist keine Zahl.'],
  'form.whole': ['A whole number is needed.', 'Hier gehört eine ganze Zahl hin.'],
  'form.label': ['Name', 'Name'],
  'form.name': ['Letters, digits, - and _ only, at most 40.', 'Nur Buchstaben, Ziffern, - und _, höchstens 40.'],
  'form.name-hint': ['Letters, digits, - and _.', 'Buchstaben, Ziffern, - und _.'],
  'form.unit': ['Modbus unit', 'Modbus-Adresse'],
  'form.unit-hint': ['As set in the device, mostly 1.', 'Wie im Gerät eingestellt, meist 1.'],

  'adopt.title': ['Adopt {name}', '{name} aufnehmen'],
  'adopt.id': ['Name', 'Name'],
  'adopt.id-hint': ['Shown on this page and in MQTT topics.', 'Erscheint auf dieser Seite und in MQTT-Topics.'],
  'adopt.ids-hint': ['Its outlets become {first} to {last}.', 'Seine Anschlüsse heißen dann {first} bis {last}.'],
  'adopt.id-taken': ['Another charger has this name.', 'So heißt schon ein anderer Ladepunkt.'],
  'adopt.circuit': ['Circuit', 'Stromkreis'],
  'adopt.max': ['Maximum current', 'Höchststrom'],
  'adopt.max-hint': ['What charger, cable and fuse allow.', 'Was Ladepunkt, Leitung und Sicherung erlauben.'],
  'adopt.outlet': ['Outlet', 'Anschluss'],
  'adopt.rotation': ['Lines behind its L1, L2, L3', 'Leiter hinter seinen L1, L2, L3'],
  'adopt.rotation-hint': ['As wired in its terminal box.', 'Wie in seinem Klemmkasten verdrahtet.'],
  'adopt.rotation-unknown': ['Safe: its current counts on every line until you know.', 'Sicher: sein Strom zählt auf jedem Leiter, bis Sie es wissen.'],

  'rotation.unknown': ['I don’t know', 'Weiß ich nicht'],
  'rotation.straight': ['{lines}: straight', '{lines}: gerade'],
  'rotation.turned': ['{lines}: rotated', '{lines}: gedreht'],
  'rotation.single': ['{lines}: single-phase', '{lines}: einphasig'],
  'rotation.between': ['{lines}: between two lines', '{lines}: zwischen zwei Leitern'],
} satisfies Record<string, Word>;
