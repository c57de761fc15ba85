//! A thread without which the program must not go on.
//!
//! An invariant that broke on the site's thread leaves a program that answers on its page and balances
//! nothing. It ends instead: the service manager starts it again, and until then the chargers fall back
//! by themselves. Panics elsewhere (a request, the database, a library) are caught where they happen.

/// Held by such a thread; a panic that passes it ends the process.
#[derive(Debug)]
pub(super) struct Fatal(pub(super) &'static str);

impl Drop for Fatal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(thread = self.0, "a thread that must not fail has panicked: the program ends");
            super::logging::end();
            // Not `exit`: that waits for threads which may wait for this one.
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Command, Stdio};

    const INSIDE: &str = "DLB_TEST_FATAL";

    /// Runs itself once more as the process that is to end.
    #[test]
    fn a_panic_of_the_sites_thread_ends_the_program() {
        let name = "run::fatal::tests::a_panic_of_the_sites_thread_ends_the_program";
        if std::env::var_os(INSIDE).is_some() {
            let site = std::thread::spawn(|| {
                let _fatal = Fatal("site");
                panic!("the sum of limits is above the fuse");
            });
            let _ = site.join();
            return;
        }
        let mut inside = Command::new(std::env::current_exe().unwrap());
        inside.args(["--exact", name]).env(INSIDE, "1").stdout(Stdio::null()).stderr(Stdio::null());
        assert_eq!(inside.status().unwrap().signal(), Some(6), "SIGABRT");
    }
}
