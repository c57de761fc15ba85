//! Updates from end to end, with the driver played by the test.

use super::*;

fn machine(booted: &str, version: &str, proved: bool) -> Machine {
    let boot = "first".into();
    Machine { compatible: "dlb-test".into(), booted: booted.into(), version: version.into(), proved, boot }
}

fn after_a_restart(booted: &str, version: &str, proved: bool) -> Machine {
    Machine { boot: "later".into(), ..machine(booted, version, proved) }
}

fn bundle(version: &str) -> Bundle {
    Bundle { compatible: "dlb-test".into(), version: version.into(), ..Default::default() }
}

fn source() -> Source {
    Source { place: "https://example.com/a.raucb".into(), headers: Vec::new(), action: None }
}

/// Version 1 runs, and version 2 has been looked at.
fn ready(data: &Path) -> Updates {
    let updates = Updates::open(data);
    assert_eq!(updates.machine(Some(machine("rootfs.0", "1.0", true))), None);
    updates.fetch("https://example.com/a.raucb").unwrap();
    updates.inspected(source(), Ok(bundle("2.0")), None).unwrap();
    updates
}

/// Version 2 has been written and awaits its restart.
fn written(data: &Path, wait_for_cars: bool) -> Updates {
    let updates = ready(data);
    updates.install(wait_for_cars).unwrap();
    updates.progress(45, "Copying image");
    assert_eq!(updates.view().percent, Some(45));
    assert_eq!(updates.installed(Ok(())), None);
    updates
}

#[test]
fn a_restart_waits_until_no_car_charges_or_somebody_wants_it_now() {
    let data = tempfile::tempdir().unwrap();
    let updates = written(data.path(), true);
    assert!(!updates.restart_if_due(true));
    assert!(updates.view().waits_for_cars);
    updates.restart_now().unwrap();
    assert!(updates.restart_if_due(true));
    assert!(!updates.restart_if_due(false), "once is enough");
    assert_eq!(updates.view().phase, UpdatePhase::Restarting);
    smol::block_on(updates.restart_wanted());
}

#[test]
fn a_program_that_restarts_without_the_machine_still_awaits_the_restart() {
    let data = tempfile::tempdir().unwrap();
    drop(written(data.path(), true));
    let again = Updates::open(data.path());
    assert_eq!(again.machine(Some(machine("rootfs.0", "1.0", true))), None);
    assert_eq!(again.view().phase, UpdatePhase::AwaitsRestart);
    assert_eq!(again.view().version.as_deref(), Some("2.0"));
}

#[test]
fn a_machine_that_does_not_restart_is_not_asked_for_ever() {
    let data = tempfile::tempdir().unwrap();
    let updates = written(data.path(), false);
    assert!(updates.restart_if_due(true));
    drop(updates);
    let again = Updates::open(data.path());
    again.machine(Some(machine("rootfs.0", "1.0", true)));
    assert!(!again.restart_if_due(false));
    assert_eq!(again.view().problem.unwrap().code, "not-restarted");
    again.restart_now().unwrap();
    assert!(again.restart_if_due(false));
}

#[test]
fn a_new_system_is_on_trial_until_it_has_proved_itself() {
    let data = tempfile::tempdir().unwrap();
    drop(written(data.path(), false));
    let new = Updates::open(data.path());
    assert_eq!(new.machine(Some(after_a_restart("rootfs.1", "2.0", false))), None);
    assert_eq!(new.view().phase, UpdatePhase::OnTrial);
    assert_eq!(new.fetch("https://example.com/b.raucb").unwrap_err().code, "not-now");
    let ended = new.machine(Some(after_a_restart("rootfs.1", "2.0", true))).unwrap();
    assert_eq!(ended.outcome, UpdateOutcome::Done);
    assert_eq!(new.view().phase, UpdatePhase::Idle);
    assert_eq!(new.machine(Some(after_a_restart("rootfs.1", "2.0", true))), None);
}

#[test]
fn a_new_system_that_does_not_prove_itself_is_told_of_by_the_old_one() {
    let data = tempfile::tempdir().unwrap();
    drop(written(data.path(), false));
    for _ in 0..2 {
        let new = Updates::open(data.path());
        new.machine(Some(after_a_restart("rootfs.1", "2.0", false)));
        new.machine(Some(after_a_restart("rootfs.1", "2.0", false)));
    }
    let old = Updates::open(data.path());
    let ended = old.machine(Some(after_a_restart("rootfs.0", "1.0", true))).unwrap();
    assert_eq!(ended.outcome, UpdateOutcome::RolledBack);
    assert!(ended.text.contains("came up 2 times"), "{}", ended.text);
    assert_eq!(old.view().history[0], ended);
}

#[test]
fn a_power_cut_while_writing_changes_nothing_and_is_told() {
    let data = tempfile::tempdir().unwrap();
    let updates = ready(data.path());
    updates.install(false).unwrap();
    drop(updates);
    let again = Updates::open(data.path());
    let ended = again.machine(Some(after_a_restart("rootfs.0", "1.0", true))).unwrap();
    assert_eq!(ended.outcome, UpdateOutcome::Failed);
    assert_eq!(again.view().phase, UpdatePhase::Idle);
}

#[test]
fn what_cannot_be_done_now_is_refused_with_a_sentence() {
    let data = tempfile::tempdir().unwrap();
    let updates = Updates::open(data.path());
    assert_eq!(updates.fetch("https://example.com/a").unwrap_err().code, "no-appliance");
    updates.machine(Some(machine("rootfs.0", "1.0", true)));
    assert_eq!(updates.install(true).unwrap_err().code, "not-now");
    assert_eq!(updates.restart_now().unwrap_err().code, "not-now");
    for address in ["", "ftp://example.com/a", "https://", "https://a b", "/etc/passwd"] {
        assert_eq!(updates.fetch(address).unwrap_err().code, "bad-address", "{address}");
    }
    updates.fetch("https://example.com/a.raucb").unwrap();
    assert_eq!(updates.begin_upload("a.raucb", 5).unwrap_err().code, "not-now");
    let refused = updates.inspected(source(), Ok(bundle("0.9")), None).unwrap_err();
    assert_eq!((refused.code.as_str(), updates.view().problem), ("older", Some(refused.clone())));
    assert_eq!(updates.view().phase, UpdatePhase::Idle);
}

#[test]
fn the_last_piece_of_an_upload_has_it_looked_at_and_a_refusal_frees_the_disk() {
    let data = tempfile::tempdir().unwrap();
    let updates = Updates::open(data.path());
    updates.machine(Some(machine("rootfs.0", "1.0", true)));
    updates.begin_upload("a.raucb", 4).unwrap();
    updates.append(0, b"ab").unwrap();
    updates.append(2, b"cd").unwrap();
    let Job::Inspect { source, then_install: None } = smol::block_on(updates.job()) else { panic!() };
    assert_eq!(std::fs::read(&source.place).unwrap(), b"abcd");
    updates.inspected(source.clone(), Err("signature verification failed".into()), None).unwrap_err();
    assert!(!Path::new(&source.place).exists() && updates.view().upload.is_none());
}

#[test]
fn a_server_hears_how_its_action_ended_even_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let updates = Updates::open(data.path());
    updates.machine(Some(machine("rootfs.0", "1.0", true)));
    let offered = Source { action: Some("8".into()), ..source() };
    updates.look_at(offered.clone(), Some(false)).unwrap();
    assert!(updates.is_about("8") && !updates.is_about("9"));
    updates.inspected(offered.clone(), Ok(bundle("2.0")), Some(false)).unwrap();
    updates.installed(Ok(()));
    assert_eq!(updates.report(), None);
    drop(updates);

    let new = Updates::open(data.path());
    new.machine(Some(after_a_restart("rootfs.1", "2.0", true))).unwrap();
    assert!(Updates::open(data.path()).report().is_some_and(|report| report.success && report.action == "8"));
    new.reported();
    assert_eq!(Updates::open(data.path()).report(), None);

    new.look_at(Source { action: Some("9".into()), ..offered.clone() }, None).unwrap();
    new.inspected(Source { action: Some("9".into()), ..offered }, Ok(bundle("2.5")), None).unwrap();
    new.fetch("https://example.com/mine.raucb").unwrap();
    assert!(new.report().is_some_and(|report| !report.success && report.action == "9"), "declined");
}
