//! Ten thousand broken configurations: none may bring the program down, each refusal names its place.
//!
//! Seeded, so that a failure can be repeated: `DLB_SEED=… DLB_MUTATIONS=… cargo test -p dlb mutated`.

use super::{Maps, check_json, check_with};

const OFFICE: &str = include_str!("../../../../tests/sites/office.toml");

/// What a slip of the hand or a hostile one puts where something else was.
const TOKENS: &[&str] = &[
    "",
    "\"",
    "\"\"\"",
    "=",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "#",
    ".",
    "-",
    ",",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "é",
    "😀",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "0",
    "0.0",
    "6",
    "80.001",
    "6300",
    "1e18",
    "9223372036854775807",
    "99999999999999999999999",
    "0xFF",
    "true",
    "false",
    "1979-05-27",
    "\"auto\"",
    "\"grid\"",
    "\"garage\"",
    "\"bay-1\"",
    "[]",
    "{}",
    "[63]",
    "[1, 2, 3, 4]",
    "[[1]]",
    "id = \"grid\"",
    "parent = \"grid\"",
    "parent = \"garage\"",
    "[[circuit]]",
    "[[charger]]",
    "[charger]",
    "[circuit]",
    "[mqtt]",
    "[a.b.c]",
    "limit_a = 1",
    "version = 2",
    "supply = { system = \"delta\", volts = 230 }",
    "transformer = { group = \"Dyn\", ratio = 2.3 }",
    "limit_kva = 3",
    "limit_neutral_a = 0",
    "kind = \"dc\"",
    "rotation = \"L1-L2\"",
    "fallback_a = 32",
];

/// SplitMix64: enough to wander, small enough to repeat.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides.max(1) as u64).unwrap()
    }

    fn place(&mut self, text: &str) -> usize {
        let mut at = self.roll(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

fn mutate(dice: &mut Dice, text: &str) -> String {
    let (one, other) = (dice.place(text), dice.place(text));
    let (from, to) = (one.min(other), one.max(other));
    let token = TOKENS[dice.roll(TOKENS.len())];
    match dice.roll(7) {
        0 => format!("{}{token}{}", &text[..from], &text[from..]),
        1 => format!("{}{}", &text[..from], &text[to..]),
        2 => format!("{}{}{}", &text[..to], &text[from..to], &text[to..]),
        3 => text[..from].to_owned(),
        4 => on_a_line(dice, text, |line| format!("{line}\n{token}")),
        5 => on_a_line(dice, text, |_| String::new()),
        _ => on_a_line(dice, text, |line| match line.split_once('=') {
            Some((key, _)) => format!("{key}= {token}"),
            None => token.to_owned(),
        }),
    }
}

fn on_a_line(dice: &mut Dice, text: &str, change: impl Fn(&str) -> String) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = dice.roll(lines.len());
    if let Some(line) = lines.get_mut(at) {
        *line = change(line);
    }
    lines.join("\n")
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn mutated_files_are_taken_or_refused_with_a_place() {
    let seed = from_environment("DLB_SEED", 20_261_123);
    let count = from_environment("DLB_MUTATIONS", 10_000);
    let maps = Maps::default();
    let (mut taken, mut refused) = (0, 0);
    for at in 0..count {
        let mut dice = Dice(seed.wrapping_add(at));
        let mut text = OFFICE.to_owned();
        for _ in 0..=dice.roll(4) {
            text = mutate(&mut dice, &text);
        }
        let lines = text.lines().count().max(1) + 1;
        match check_with(&text, &maps) {
            Ok((checked, _)) => {
                taken += 1;
                let again = toml::to_string(&checked.file).unwrap();
                let (again, _) = check_with(&again, &maps).expect("what was taken can be written and read");
                assert_eq!(again.settings, checked.settings, "seed {}", seed + at);
            }
            Err(mistakes) => {
                refused += 1;
                assert!(!mistakes.is_empty(), "seed {}", seed + at);
                for mistake in &mistakes {
                    let line = mistake.line.map_or(1, |line| usize::try_from(line).unwrap());
                    assert!(
                        !mistake.key.is_empty() || mistake.line.is_some(),
                        "seed {}: {mistake:?}",
                        seed + at
                    );
                    assert!((1..=lines).contains(&line), "seed {}: {mistake:?} of {lines}", seed + at);
                    assert!(!mistake.what.is_empty() && !mistake.remedy.is_empty(), "seed {}", seed + at);
                }
            }
        }
    }
    assert!(count < 1000 || (taken > count / 50 && refused > count / 2), "{taken} taken, {refused} refused");
}

#[test]
fn mutated_json_is_taken_or_refused_with_a_key() {
    let office = serde_json::to_value(super::check(OFFICE).unwrap().0.file).unwrap();
    let tokens: Vec<serde_json::Value> = [
        "null",
        "true",
        "0",
        "-1",
        "1e300",
        "\"\"",
        "\"grid\"",
        "[]",
        "{}",
        "[null]",
        "[[[]]]",
        "{\"a\":{}}",
        "6",
        "\"auto\"",
    ]
    .iter()
    .map(|text| serde_json::from_str(text).unwrap())
    .collect();
    for at in 0..from_environment("DLB_MUTATIONS", 10_000) {
        let mut dice = Dice(at);
        let mut value = office.clone();
        replace_somewhere(&mut dice, &mut value, &tokens);
        if let Err(mistakes) = check_json(&value, &Maps::default()) {
            assert!(
                !mistakes.is_empty() && mistakes.iter().all(|mistake| !mistake.key.is_empty()),
                "{value}"
            );
        }
    }
}

fn replace_somewhere(dice: &mut Dice, value: &mut serde_json::Value, tokens: &[serde_json::Value]) {
    let children: Vec<&mut serde_json::Value> = match value {
        serde_json::Value::Array(list) => list.iter_mut().collect(),
        serde_json::Value::Object(object) => object.values_mut().collect(),
        _ => Vec::new(),
    };
    let count = children.len();
    match children.into_iter().nth(dice.roll(count)) {
        Some(child) if dice.roll(5) > 0 => replace_somewhere(dice, child, tokens),
        _ => *value = tokens[dice.roll(tokens.len())].clone(),
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = 200_000;
    for text in [
        format!("name = {}", "[".repeat(deep)),
        format!("name = {}{}", "[".repeat(deep), "]".repeat(deep)),
        format!("{}a = 1", "a.".repeat(deep)),
        format!("[{}a]", "a.".repeat(deep)),
        format!("name = {}{}", "{a=".repeat(deep), "}".repeat(deep)),
        "[[charger]]\n".repeat(80_000),
        "[[circuit]]\nid=\"a\"\nparent=\"a\"\n".repeat(25_000),
    ] {
        let mistakes = check_with(&text, &Maps::default()).unwrap_err();
        assert!(mistakes.len() <= 201, "{}", mistakes.len());
    }
}
