//! A row as bytes. Written a few thousand times a day and kept for years, so it is small: numbers of
//! variable length, a maximum as its distance from the mean, owners by number.
//!
//! ```text
//! row    := 1 weight_ms count owner*
//! owner  := number mask [weight_ms, if bit 7 of mask] (mean, max − mean)*   one pair for each of bits 0–6
//! ```

use super::figures::Figures;
use super::sample::QUANTITIES;

const FORMAT: u8 = 1;
const OWN_WEIGHT: u8 = 0x80;

/// Owners by number.
pub(super) type Numbered = Vec<(u32, Figures)>;

pub(super) fn encode(owners: &Numbered) -> Vec<u8> {
    let weight = owners.iter().map(|(_, figures)| figures.weight_ms).max().unwrap_or(0);
    let mut bytes = vec![FORMAT];
    put(&mut bytes, weight);
    put(&mut bytes, owners.len() as u64);
    for (number, figures) in owners {
        put(&mut bytes, u64::from(*number));
        let known = (0..QUANTITIES).filter(|quantity| figures.mean[*quantity].is_some());
        let mask = known.fold(0u8, |mask, quantity| mask | 1 << quantity);
        let own_weight = figures.weight_ms != weight;
        bytes.push(if own_weight { mask | OWN_WEIGHT } else { mask });
        if own_weight {
            put(&mut bytes, figures.weight_ms);
        }
        for (mean, max) in figures.mean.iter().zip(figures.max) {
            if let Some(mean) = mean {
                let mean = mean.round() as i64;
                put_signed(&mut bytes, mean);
                put_signed(&mut bytes, max.unwrap_or(mean).saturating_sub(mean));
            }
        }
    }
    bytes
}

/// `None`: not a row that this version knows.
pub(super) fn decode(bytes: &[u8]) -> Option<Numbered> {
    let mut rest = bytes.strip_prefix(&[FORMAT])?;
    let weight = take(&mut rest)?;
    let count = take(&mut rest)?;
    let mut owners = Vec::new();
    for _ in 0..count {
        let number = u32::try_from(take(&mut rest)?).ok()?;
        let (mask, after) = rest.split_first()?;
        rest = after;
        let own_weight = mask & OWN_WEIGHT != 0;
        let mut figures =
            Figures { weight_ms: if own_weight { take(&mut rest)? } else { weight }, ..Figures::default() };
        for quantity in (0..QUANTITIES).filter(|quantity| mask & 1 << quantity != 0) {
            let mean = take_signed(&mut rest)?;
            figures.mean[quantity] = Some(mean as f64);
            figures.max[quantity] = Some(mean.saturating_add(take_signed(&mut rest)?));
        }
        owners.push((number, figures));
    }
    rest.is_empty().then_some(owners)
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put(bytes, ((number << 1) ^ (number >> 63)) as u64);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let number = take(bytes)?;
    Some((number >> 1) as i64 ^ -((number & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn figures() -> impl Strategy<Value = Figures> {
        let quantity = prop::option::of((-1_000_000i64..1_000_000, 0i64..100_000));
        (1u64..400_000, prop::array::uniform7(quantity)).prop_map(|(weight_ms, values)| Figures {
            weight_ms,
            mean: values.map(|value| value.map(|(mean, _)| mean as f64)),
            max: values.map(|value| value.map(|(mean, above)| mean + above)),
        })
    }

    proptest! {
        #[test]
        fn a_row_is_read_as_it_was_written(owners in prop::collection::vec((any::<u32>(), figures()), 0..20)) {
            prop_assert_eq!(decode(&encode(&owners)), Some(owners));
        }

        #[test]
        fn bytes_that_are_no_row_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut row = vec![FORMAT];
            row.extend(bytes);
            let _ = decode(&row);
        }
    }

    #[test]
    fn twelve_chargers_and_two_circuits_take_a_few_hundred_bytes() {
        let mut busy = Figures { weight_ms: 10_000, ..Figures::default() };
        busy.mean = [Some(1600.0), Some(1590.0), Some(1610.0), Some(1600.0), None, None, Some(11_000.0)];
        busy.max = busy.mean.map(|mean| mean.map(|mean| mean as i64 + 20));
        let owners: Numbered = (0..14).map(|number| (number, busy)).collect();
        assert!(encode(&owners).len() < 300, "{}", encode(&owners).len());
    }
}
