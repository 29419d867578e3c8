//! An aggregator's answer, kept in a file until each account-region is looked at: memory does not grow with the resources of an
//! organization.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use super::query::GLOBAL;
use super::row::Row;
use crate::model::AccountRegion;

/// A piece of the file.
#[derive(Debug, Clone, Copy)]
struct Piece {
    offset: u64,
    length: u32,
}

/// The rows, one per line.
#[derive(Debug)]
pub(super) struct Held {
    file: File,
    end: u64,
    /// By account, then by region.
    pieces: HashMap<String, HashMap<String, Vec<Piece>>>,
}

impl Held {
    /// In an empty file.
    pub(super) fn new(file: File) -> Self {
        Self { file, end: 0, pieces: HashMap::new() }
    }

    /// Adds the rows of a page.
    pub(super) fn add(&mut self, rows: &[Row]) -> io::Result<()> {
        let mut by_place: HashMap<(&str, &str), String> = HashMap::new();
        for row in rows {
            let text = by_place.entry((&row.account, &row.region)).or_default();
            text.push_str(&serde_json::to_string(row)?);
            text.push('\n');
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        for ((account, region), text) in by_place {
            self.file.write_all(text.as_bytes())?;
            let length = u32::try_from(text.len()).map_err(io::Error::other)?;
            let of_account = self.pieces.entry(account.to_owned()).or_default();
            of_account.entry(region.to_owned()).or_default().push(Piece { offset: self.end, length });
            self.end += u64::from(length);
        }
        Ok(())
    }

    /// The rows of an account-region, and those of the account that belong to no region.
    pub(super) fn of_place(&mut self, place: &AccountRegion) -> io::Result<Vec<Row>> {
        let Some(of_account) = self.pieces.get(place.account.as_str()) else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for region in [place.region.as_str(), GLOBAL] {
            for piece in of_account.get(region).into_iter().flatten() {
                self.file.seek(SeekFrom::Start(piece.offset))?;
                let mut text = String::new();
                (&mut self.file).take(u64::from(piece.length)).read_to_string(&mut text)?;
                for line in text.lines() {
                    rows.push(serde_json::from_str(line)?);
                }
            }
        }
        Ok(rows)
    }
}
