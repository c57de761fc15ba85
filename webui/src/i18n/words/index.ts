// Every word of the page; one file for each part of it.

import { access } from './access';
import { clamps } from './clamps';
import { common } from './common';
import { contacts } from './contacts';
import { form } from './form';
import { more } from './more';
import { settings } from './settings';
import { site } from './site';
import { update } from './update';

export const words = { ...common, ...access, ...clamps, ...contacts, ...form, ...more, ...settings, ...site, ...update };
