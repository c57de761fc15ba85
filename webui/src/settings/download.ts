// Hands the reader a file, made here.

export function download(name: string, content: unknown): void {
  const blob = new Blob([JSON.stringify(content, null, 2), '\n'], { type: 'application/json' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
