import './style/tokens.css';
import './style/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { showPreferences } from './state/preferences.svelte';
import { route } from './state/route.svelte';
import { session } from './state/session.svelte';

showPreferences();
route.start();
void session.begin();

const target = document.getElementById('app');
if (target) mount(App, { target });
