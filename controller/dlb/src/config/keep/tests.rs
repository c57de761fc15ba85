use super::super::versions::KEPT;
use super::*;

const OFFICE: &str = include_str!("../../../../../tests/sites/office.toml");
const NOON: Option<WallTime> = Some(WallTime(1_795_435_200_000));

fn open(directory: &Path) -> Opened {
    ConfigFile::open(&directory.join("site.toml"), &directory.join("data"), Maps::default(), NOON)
}

fn named(name: &str) -> String {
    OFFICE.replace("name = \"Office\"", &format!("name = \"{name}\""))
}

#[test]
fn a_box_without_a_file_starts_as_a_new_box_and_can_be_set_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut opened = open(directory.path());
    assert_eq!((opened.file.version(), opened.trouble), (0, None));
    assert_eq!(opened.checked, new_box());
    let json = serde_json::to_value(check_with(OFFICE, &Maps::default()).unwrap().0.file).unwrap();
    let saved = opened.file.put_json(0, &json, "page", NOON).unwrap();
    assert_eq!((saved.version, saved.checked.settings.name.as_str()), (1, "Office"));
    let again = open(directory.path());
    assert_eq!((again.file.version(), again.trouble), (1, None));
    assert_eq!(again.checked, saved.checked);
    let view = KeptVersion { version: 1, saved_at: NOON, by: "page".into() };
    assert_eq!(again.file.versions(), [view]);
}

#[test]
fn a_file_written_by_hand_keeps_its_comments_until_somebody_saves() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("site.toml"), OFFICE).unwrap();
    let mut opened = open(directory.path());
    assert_eq!((opened.file.version(), opened.file.text()), (1, OFFICE));
    assert_eq!(std::fs::read_to_string(directory.path().join("site.toml")).unwrap(), OFFICE);
    opened.file.put(1, &named("Annex"), "page", None).unwrap();
    assert_eq!(opened.file.text_of(1).as_deref(), Some(OFFICE));
    assert_eq!(open(directory.path()).checked.settings.name, "Annex");
}

#[test]
fn two_who_save_at_once_do_not_overwrite_each_other() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("site.toml"), OFFICE).unwrap();
    let mut file = open(directory.path()).file;
    file.put(1, &named("First"), "one", NOON).unwrap();
    let refused = file.put(1, &named("Second"), "other", NOON).unwrap_err();
    assert!(matches!(refused, SaveError::Conflict { expected: 1, present: 2 }), "{refused}");
    assert_eq!(open(directory.path()).checked.settings.name, "First");
}

#[test]
fn a_wrong_configuration_is_not_saved() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("site.toml"), OFFICE).unwrap();
    let mut file = open(directory.path()).file;
    let refused = file.put(1, &OFFICE.replace("max_a = 32", "max_a = 320"), "page", NOON).unwrap_err();
    assert!(matches!(refused, SaveError::Wrong(mistakes) if mistakes[0].key == "charger[0].max_a"));
    assert_eq!(file.version(), 1);
}

#[test]
fn a_broken_file_gives_way_to_the_last_good_version() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("site.toml");
    std::fs::write(&path, OFFICE).unwrap();
    open(directory.path()).file.put(1, &named("Second"), "page", NOON).unwrap();
    for broken in [b"\0\0\0\0".as_slice(), &OFFICE.as_bytes()[..900], b""] {
        std::fs::write(&path, broken).unwrap();
        let opened = open(directory.path());
        assert_eq!((opened.checked.settings.name.as_str(), opened.file.version()), ("Second", 2));
        let trouble = opened.trouble.expect("people are told");
        assert!(trouble.contains("Running on version 2"), "{trouble}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(open(directory.path()).trouble.is_some_and(|trouble| trouble.contains("missing")));
}

#[test]
fn a_broken_first_file_is_named_and_nothing_is_balanced() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("site.toml"), "limit_a = ").unwrap();
    let opened = open(directory.path());
    assert_eq!(opened.checked, new_box());
    assert!(opened.trouble.is_some_and(|trouble| trouble.contains("line 1")));
}

#[test]
fn the_past_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = open(directory.path()).file;
    for at in 0..KEPT as u64 + 5 {
        file.put(at, &named(&format!("Office {at}")), "page", NOON).unwrap();
    }
    let versions = file.versions();
    assert_eq!((versions.len(), versions[0].version, versions[KEPT - 1].version), (KEPT, 55, 6));
}

#[test]
fn a_cut_between_version_and_file_leaves_the_old_file_in_force() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("site.toml"), OFFICE).unwrap();
    let file = open(directory.path()).file;
    file.keep_version(&named("Cut"), "page", NOON).unwrap();
    let mut opened = open(directory.path());
    assert_eq!((opened.checked.settings.name.as_str(), opened.file.version()), ("Office", 1));
    assert_eq!(opened.file.put(1, &named("Later"), "page", NOON).unwrap().version, 3);
}
