// A failure as a sentence for the reader.

import { ApiError } from '../api/client';
import { spoken } from './spoken';
import { t } from './t';

export function trouble(error: unknown): string {
  if (!(error instanceof ApiError)) return t('error.unknown', { status: String(error) });
  if (error.status === 0) return t('error.unreachable');
  if (error.message === '') return t('error.unknown', { status: error.status });
  const said = [error.message, error.remedy].filter(Boolean).map(sentence).join(' ');
  return t('error.refused', { message: spoken(error.code, said, error.field ? { field: error.field } : {}) });
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
