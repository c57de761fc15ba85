import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

// Short marks: they stand in every element, and do not compress.
const cssHash = ({ hash, filename }) => `s${hash(filename).slice(-4)}`;

export default { preprocess: vitePreprocess({ script: false }), compilerOptions: { runes: true, cssHash } };
