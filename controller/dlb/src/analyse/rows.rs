//! Rows of codes: a header with the channels' names, then one integer a channel.

use super::Fault;
use dlb_links::adc::{CHANNELS_MAX, Codes};
use std::io::{BufRead, Read};
use std::ops::RangeInclusive;

/// No row of codes is longer.
const LINE_MAX: u64 = 4096;

pub(super) struct Rows<R> {
    input: R,
    line: u64,
    text: String,
    /// Where in the board's order each column belongs.
    columns: Vec<usize>,
    names: Vec<String>,
    codes: RangeInclusive<i32>,
}

impl<R: BufRead> Rows<R> {
    /// Reads the header.
    pub(super) fn new(input: R, names: Vec<&str>, codes: RangeInclusive<i32>) -> Result<Self, Fault> {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut rows = Self { input, line: 0, text: String::new(), columns: Vec::new(), names, codes };
        if !rows.read_line()? {
            return Err(rows.wrong("the input is empty; a header with the channels' names comes first"));
        }
        rows.columns = rows.header().map_err(|what| rows.wrong(what))?;
        Ok(rows)
    }

    fn header(&self) -> Result<Vec<usize>, String> {
        let mut columns = Vec::with_capacity(CHANNELS_MAX);
        for name in self.text.split(',').map(str::trim) {
            let known = self.names.iter().position(|known| known == name);
            let column = known.ok_or_else(|| format!("the board file has no channel \"{name}\""))?;
            if columns.contains(&column) {
                return Err(format!("channel \"{name}\" is there twice"));
            }
            columns.push(column);
        }
        match (0..self.names.len()).find(|column| !columns.contains(column)) {
            Some(missing) => Err(format!("channel \"{}\" is missing", self.names[missing])),
            None => Ok(columns),
        }
    }

    /// The next row, in the board's order.
    pub(super) fn next(&mut self) -> Result<Option<Codes>, Fault> {
        if !self.read_line()? {
            return Ok(None);
        }
        self.row().map(Some).map_err(|what| self.wrong(what))
    }

    fn row(&self) -> Result<Codes, String> {
        let mut codes = Codes::default();
        let mut fields = self.text.split(',').map(str::trim);
        for &column in &self.columns {
            let name = &self.names[column];
            let field = fields.next().ok_or_else(|| format!("no code for channel \"{name}\""))?;
            let code =
                field.parse().map_err(|_| format!("{name}: \"{}\" is not a whole number", short(field)))?;
            if !self.codes.contains(&code) {
                let (least, most) = (self.codes.start(), self.codes.end());
                return Err(format!("{name}: {code} is not from {least} to {most}"));
            }
            codes[column] = code;
        }
        match fields.next() {
            Some(_) => Err(format!("more than {} codes", self.columns.len())),
            None => Ok(codes),
        }
    }

    fn read_line(&mut self) -> Result<bool, Fault> {
        self.line += 1;
        let mut bytes = core::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        let limited = (&mut self.input).take(LINE_MAX).read_until(b'\n', &mut bytes);
        let read = limited.map_err(|source| Fault::Input { line: self.line, source })?;
        if read as u64 == LINE_MAX && bytes.last() != Some(&b'\n') {
            self.skip_line()?;
            return Err(self.wrong(format!("longer than {LINE_MAX} bytes")));
        }
        self.text = String::from_utf8(bytes).map_err(|_| self.wrong("not UTF-8 text"))?;
        Ok(read > 0)
    }

    /// Goes to the end of a line that is too long.
    fn skip_line(&mut self) -> Result<(), Fault> {
        loop {
            let buffer = self.input.fill_buf().map_err(|source| Fault::Input { line: self.line, source })?;
            let end = buffer.iter().position(|&byte| byte == b'\n');
            let passed = end.map_or(buffer.len(), |end| end + 1);
            self.input.consume(passed);
            if end.is_some() || passed == 0 {
                return Ok(());
            }
        }
    }

    fn wrong(&self, what: impl Into<String>) -> Fault {
        Fault::Row { line: self.line, what: what.into() }
    }
}

fn short(field: &str) -> String {
    field.chars().take(40).collect()
}
