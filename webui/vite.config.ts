/// <reference types="vitest/config" />
// How the page is built: one small script and one style sheet from the box itself, nothing inline,
// so that it works under a strict content security policy and without internet.

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { mockSite } from './dev/mock/server';

export default defineConfig({
  plugins: [svelte(), mockSite()],
  build: {
    target: 'es2022',
    // A few per cent smaller than the default; the whole page must come over a slow network in a second.
    minify: 'terser',
    terserOptions: { compress: { passes: 3, ecma: 2020 }, module: true, format: { comments: false } },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { host: '127.0.0.1' },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
