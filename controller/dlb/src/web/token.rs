//! The token by which a collector reads the metrics: made on the first start, kept in a file of its own.

use super::logins::{Token, to_hex};
use crate::config::atomic;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

const FILE: &str = "metrics-token";

#[derive(Debug, Error)]
pub enum TokenFault {
    #[error("reading the metrics token {file}")]
    Reading { file: PathBuf, source: io::Error },
    #[error("writing the metrics token {file}")]
    Writing { file: PathBuf, source: io::Error },
    #[error("drawing a metrics token")]
    Drawing(#[from] getrandom::Error),
}

/// The token in the data directory; makes one if there is none.
///
/// # Errors
/// The file can be neither read nor written.
pub fn metrics_token(data_dir: &Path) -> Result<Arc<str>, TokenFault> {
    let file = data_dir.join(FILE);
    match std::fs::read_to_string(&file) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().into()),
        Ok(_) => (),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => (),
        Err(source) => return Err(TokenFault::Reading { file, source }),
    }
    let mut bytes = Token::default();
    getrandom::fill(&mut bytes)?;
    let token = to_hex(&bytes);
    atomic::replace(&file, token.as_bytes()).map_err(|source| TokenFault::Writing { file, source })?;
    Ok(token.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stays_the_same_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let first = metrics_token(dir.path()).unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(metrics_token(dir.path()).unwrap(), first);
    }
}
