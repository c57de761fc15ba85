//! Checks the tree of circuits and puts it in the order that the engine wants: parents first.

use super::defaults::{CIRCUIT_LIMIT_A, CIRCUIT_LIMIT_KVA, CIRCUIT_LIMIT_KW, MAX_DEPTH};
use super::file::{Amperes, CircuitEntry};
use super::problem::{Problems, suggestion};
use super::supply::{balance, lines_of, supply, transformer};
use super::words::{Names, check_id};
use dlb_engine::lines::PerLine;
use dlb_engine::site::{Circuit, CircuitIx, Supply};
use dlb_engine::units::{Milliamps, Watts};

/// The tree in the engine's order, and the way back to the entries of the file.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) circuits: Vec<Circuit>,
    /// For each of `circuits` its position in the file.
    pub(super) entries: Vec<usize>,
    pub(super) names: Names,
}

impl Tree {
    /// Reads the entries. A tree that is not one (no root, a ring) comes out without its broken parts.
    pub(super) fn check(entries: &[CircuitEntry], problems: &mut Problems) -> Self {
        let mut names = Names::default();
        for (at, entry) in entries.iter().enumerate() {
            let path = format!("circuit[{at}]");
            check_id(&path, &entry.id, problems);
            names.add(&path, &entry.id, problems);
        }
        check_parents(entries, &names, problems);
        let mut tree = Self { circuits: Vec::new(), entries: Vec::new(), names };
        for (at, _) in entries.iter().enumerate().filter(|(_, entry)| entry.parent.is_none()) {
            tree.add(entries, at, None, 0, problems);
        }
        if !entries.is_empty() && tree.entries.len() < entries.len() {
            report_unreached(entries, &tree, problems);
        }
        tree
    }

    pub(super) fn find(&self, id: &str) -> Option<CircuitIx> {
        self.circuits.iter().position(|circuit| circuit.id == id).map(CircuitIx)
    }

    /// Finds a circuit by the name that an entry gives, or says what is wrong with it.
    pub(super) fn look_up(&self, key: &str, id: &str, problems: &mut Problems) -> Option<CircuitIx> {
        if !id.is_empty() && !self.names.contains(id) {
            let remedy = suggestion(id, &self.names.all(), "add a [[circuit]] first");
            problems.error(key, format!("names the circuit \"{id}\", which there is not"), remedy);
        }
        self.find(id)
    }

    fn add(
        &mut self,
        entries: &[CircuitEntry],
        at: usize,
        parent: Option<CircuitIx>,
        depth: usize,
        problems: &mut Problems,
    ) {
        let circuit = circuit(&entries[at], at, parent.map(|ix| &self.circuits[ix.0]), problems);
        let ix = CircuitIx(self.circuits.len());
        self.circuits.push(Circuit { parent, ..circuit });
        self.entries.push(at);
        let id = entries[at].id.as_str();
        if depth == MAX_DEPTH {
            let what = format!("is nested deeper than {MAX_DEPTH} circuits");
            problems.error(&format!("circuit[{at}].parent"), what, "flatten the tree");
            return;
        }
        // The first of several circuits of one name has the children, or they would be counted twice.
        if id.is_empty() || entries.iter().position(|entry| entry.id == id) != Some(at) {
            return;
        }
        for (child, _) in entries.iter().enumerate().filter(|(_, entry)| entry.parent.as_deref() == Some(id))
        {
            self.add(entries, child, Some(ix), depth + 1, problems);
        }
    }
}

fn check_parents(entries: &[CircuitEntry], names: &Names, problems: &mut Problems) {
    for (at, entry) in entries.iter().enumerate() {
        let key = format!("circuit[{at}].parent");
        if let Some(parent) = entry.parent.as_deref().filter(|parent| !names.contains(parent)) {
            let remedy = suggestion(parent, &names.all(), "leave parent out: this is the grid connection");
            problems.error(&key, format!("names the circuit \"{parent}\", which there is not"), remedy);
        }
    }
    let mut roots = entries.iter().enumerate().filter(|(_, entry)| entry.parent.is_none());
    let Some((first, _)) = roots.next() else {
        return problems.error(
            "circuit",
            if entries.is_empty() {
                "is missing"
            } else {
                "has no grid connection: every circuit has a parent"
            },
            "add a [[circuit]] with id = \"grid\" and the main fuse as limit_a, without a parent",
        );
    };
    for (at, _) in roots {
        if problems.refused(&format!("circuit[{at}].parent")) {
            continue;
        }
        let what = "is missing: a site has one grid connection, and there is one already";
        let remedy = format!("add parent = \"{}\"", entries[first].id);
        problems.error(&format!("circuit[{at}].parent"), what, remedy);
    }
}

/// Circuits that no path from the grid connection reaches hang on themselves.
fn report_unreached(entries: &[CircuitEntry], tree: &Tree, problems: &mut Problems) {
    for (at, entry) in entries.iter().enumerate().filter(|(at, _)| !tree.entries.contains(at)) {
        let key = format!("circuit[{at}].parent");
        let Some(parent) = &entry.parent else { continue };
        if !problems.refused(&key) && tree.names.contains(parent) && hangs_on_itself(entries, at) {
            problems.error(
                &key,
                format!("\"{parent}\" leads back to this circuit"),
                "let the parents lead to the grid connection",
            );
        }
    }
}

fn hangs_on_itself(entries: &[CircuitEntry], at: usize) -> bool {
    let parent = |at: usize| {
        let name = entries[at].parent.as_ref()?;
        entries.iter().position(|entry| entry.id == *name)
    };
    let above = core::iter::successors(parent(at), |at| parent(*at));
    above.take(entries.len()).any(|above| above == at)
}

fn circuit(entry: &CircuitEntry, at: usize, parent: Option<&Circuit>, problems: &mut Problems) -> Circuit {
    let key = |name: &str| format!("circuit[{at}].{name}");
    let transformer = transformer(&key("transformer"), entry, parent, problems);
    let above = parent.map(|parent| (parent.supply, transformer));
    let supply = supply(&key("supply"), entry.supply.as_ref(), above, problems);
    let limit_power = limit_power(at, entry, problems);
    let limit = match &entry.limit_a {
        Some(amperes) => per_line(&key("limit_a"), amperes, supply, &CIRCUIT_LIMIT_A, problems),
        None => missing_limit(&key("limit_a"), entry, parent, problems),
    };
    if let Some(parent) = parent.filter(|_| transformer.is_none()) {
        warn_above_parent(at, (limit, limit_power), parent, problems);
    }
    Circuit {
        id: entry.id.clone(),
        parent: None,
        limit,
        limit_power,
        balance: balance(at, entry, supply, problems),
        supply,
        transformer,
    }
}

/// The smaller one of both: a car's power factor is taken as 1, and of other load only its amperes are known.
fn limit_power(at: usize, entry: &CircuitEntry, problems: &mut Problems) -> Option<Watts> {
    let limits =
        [("limit_kw", entry.limit_kw, CIRCUIT_LIMIT_KW), ("limit_kva", entry.limit_kva, CIRCUIT_LIMIT_KVA)];
    let mut least: Option<Watts> = None;
    for (name, limit, range) in limits {
        if let Some(limit) = limit {
            problems.check_range(&format!("circuit[{at}].{name}"), limit, &range);
            let limit = Watts::from_kw_f64(limit);
            least = Some(least.map_or(limit, |other| other.min(limit)));
        }
    }
    least
}

/// Without a limit of its own per line a circuit has its parent's.
fn missing_limit(
    key: &str,
    entry: &CircuitEntry,
    parent: Option<&Circuit>,
    problems: &mut Problems,
) -> PerLine<Milliamps> {
    let by_power = entry.limit_kw.is_some() || entry.limit_kva.is_some();
    // A transformer's primary amperes are not those of its secondary side.
    let excused = problems.refused(key) || (parent.is_some() && by_power && entry.transformer.is_none());
    if !excused {
        let remedy = "add the rating of its fuse or breaker, like limit_a = 63";
        problems.error(key, "is missing", remedy);
    }
    parent.map_or(PerLine::all(Milliamps::ZERO), |parent| parent.limit)
}

fn warn_above_parent(
    at: usize,
    (limit, power): (PerLine<Milliamps>, Option<Watts>),
    parent: &Circuit,
    problems: &mut Problems,
) {
    let remedy =
        format!("nothing to do if that is the real rating: the limit of {} counts anyway", parent.id);
    if limit.zip_with(parent.limit, |own, above| own > above).0.contains(&true) {
        let what = format!("is above the limit of its parent {}", parent.id);
        problems.warn(&format!("circuit[{at}].limit_a"), what, &remedy);
    }
    if let (Some(own), Some(above)) = (power, parent.limit_power)
        && own > above
    {
        let what = format!("is above the {above} of its parent {}", parent.id);
        problems.warn(&format!("circuit[{at}].limit_kw"), what, &remedy);
    }
}

/// Amperes on the lines that the supply has, zero on the others.
pub(super) fn per_line(
    key: &str,
    amperes: &Amperes,
    supply: Supply,
    range: &super::defaults::Range,
    problems: &mut Problems,
) -> PerLine<Milliamps> {
    let count = lines_of(supply);
    let list = match amperes {
        Amperes::All(all) => vec![*all; count],
        Amperes::Each(each) => each.clone(),
    };
    let too_long = list.iter().skip(count).any(|value| *value != 0.0);
    if list.len() != count && (list.len() != 3 || too_long) {
        let what = format!("has {} values, this supply has {count} lines", list.len());
        problems.error(key, what, "give one number, or one for each line");
        return PerLine::all(Milliamps::ZERO);
    }
    // A line that a circuit does not have is a zero beside others that are not.
    let absent = |value: f64| value == 0.0 && list.iter().any(|other| *other > 0.0);
    if let Some(wrong) = list.iter().find(|value| !absent(**value) && !range.allowed.contains(value)) {
        problems.check_range(key, *wrong, range);
        return PerLine::all(Milliamps::ZERO);
    }
    let at = |line: usize| list.get(line).filter(|_| line < count).copied().unwrap_or_default();
    PerLine(core::array::from_fn(|line| Milliamps::from_amps_f64(at(line))))
}
