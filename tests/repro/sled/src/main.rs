//! Appends small records to one of two stores and asks for each hundredth to be safe, as a journal of
//! charging sessions would. `run.sh` counts from outside what the store asks of the kernel.

use std::path::Path;

const RECORDS: u64 = 20_000;
const BETWEEN_FLUSHES: u64 = 100;
const RECORD: [u8; 60] = [7; 60];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, store, directory] = arguments.as_slice() else { panic!("usage: sled-beside-redb sled|redb DIRECTORY") };
    match store.as_str() {
        "sled" => with_sled(Path::new(directory)),
        "redb" => with_redb(Path::new(directory)),
        other => panic!("no store is called {other}"),
    }
    let payload = RECORDS * (8 + RECORD.len() as u64);
    println!("payload_bytes {payload}");
    println!("flushes {}", RECORDS / BETWEEN_FLUSHES);
    for line in std::fs::read_to_string("/proc/self/io").expect("Linux").lines() {
        if let Some(bytes) = line.strip_prefix("write_bytes: ") {
            println!("write_bytes {bytes}");
        }
    }
}

fn with_sled(directory: &Path) {
    let store = sled::open(directory.join("sled")).expect("opens");
    for record in 0..RECORDS {
        store.insert(record.to_be_bytes(), RECORD.as_slice()).expect("takes a record");
        if record % BETWEEN_FLUSHES == BETWEEN_FLUSHES - 1 {
            store.flush().expect("says that it is safe");
        }
    }
}

fn with_redb(directory: &Path) {
    const TABLE: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("records");
    let store = redb::Database::create(directory.join("redb")).expect("opens");
    for batch in 0..RECORDS / BETWEEN_FLUSHES {
        let transaction = store.begin_write().expect("begins");
        {
            let mut table = transaction.open_table(TABLE).expect("has the table");
            for record in batch * BETWEEN_FLUSHES..(batch + 1) * BETWEEN_FLUSHES {
                table.insert(record, RECORD.as_slice()).expect("takes a record");
            }
        }
        transaction.commit().expect("says that it is safe");
    }
}
