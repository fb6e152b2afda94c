//! Reading files into batches: delimited text by bytes a second, a workbook side by side with calamine's own iteration over cells.
//!
//! Scenario: 1,000,000 made-up organisations in 7 columns of csv (about 177 MB), and a sheet of 200,000 rows and 8 columns of mixed
//! types written by `rust_xlsxwriter`. Each run goes from the file to the last batch. The target for the sheet is at most 1.5 times
//! calamine's raw cell iteration; the one for text is well above 150 MB/s on one core.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use calamine::{Reader as _, Xlsx};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotpass_ingest::{ReadOptions, SourceFile, open_file};

const CSV_ROWS: u32 = 1_000_000;
const SHEET_ROWS: u32 = 200_000;

/// Writes the same rows every time: numbers come from a linear congruential generator (Knuth, MMIX).
fn write_csv(path: &Path) -> u64 {
    let mut out = BufWriter::new(File::create(path).expect("a temporary file"));
    let mut state = 7_u64;
    writeln!(out, "Organisation Name,Registration,Phone,Email,Website,Address,Province").expect("disk space");
    for row in 0..CSV_ROWS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (number, phone) = (state >> 44, 100_000_000 + (state >> 36) % 900_000_000);
        writeln!(
            out,
            "Organisation {row} Training Centre (Pty) Ltd,2019/{number:06}/07,+27{phone},office{row}@organisation{number}.example,\
             https://www.organisation{number}.example/about-us,\"{number} Main Road, Kempton Park, 1619\",Gauteng"
        )
        .expect("disk space");
    }
    out.flush().expect("disk space");
    path.metadata().expect("the file just written").len()
}

fn write_sheet(path: &Path) {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet();
    for (column, header) in (0..).zip(["Name", "Town", "Phone", "Members", "Fee", "Since", "Active", "E-mail"]) {
        sheet.write(0, column, header).expect("within the sheet");
    }
    for row in 1..=SHEET_ROWS {
        sheet.write(row, 0, format!("Organisation {row}")).expect("within the sheet");
        sheet.write(row, 1, ["Durban", "Paarl", "Gqeberha"][row as usize % 3]).expect("within the sheet");
        sheet.write(row, 2, 27_830_000_000.0 + f64::from(row)).expect("within the sheet");
        sheet.write(row, 3, row % 977).expect("within the sheet");
        sheet.write(row, 4, f64::from(row) / 8.0).expect("within the sheet");
        sheet.write_with_format(row, 5, 40_000 + row % 5000, &date).expect("within the sheet");
        sheet.write(row, 6, row % 2 == 0).expect("within the sheet");
        sheet.write(row, 7, format!("office{row}@organisation.example")).expect("within the sheet");
    }
    workbook.save(path).expect("disk space");
}

fn read(file: &SourceFile) -> usize {
    let opened = open_file(file, &ReadOptions::default()).expect("a file that can be read");
    opened.tables.into_iter().flat_map(|table| table.batches).map(|batch| batch.expect("a batch").num_rows()).sum()
}

fn iterate_cells(path: &Path) -> usize {
    let mut workbook: Xlsx<_> =
        Xlsx::new(BufReader::new(File::open(path).expect("the file just written"))).expect("a workbook");
    let name = workbook.sheet_names()[0].clone();
    let mut cells = workbook.worksheet_cells_reader(&name).expect("a sheet");
    let mut count = 0;
    while let Some(cell) = cells.next_cell().expect("a cell") {
        black_box(cell);
        count += 1;
    }
    count
}

fn ingest_files(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let csv = folder.path().join("organisations.csv");
    let bytes = write_csv(&csv);
    let csv = SourceFile::inspect(csv, "organisations.csv").expect("the file just written");
    assert_eq!(read(&csv), CSV_ROWS as usize);
    let mut group = criterion.benchmark_group("csv_1m_rows");
    group.sample_size(10).measurement_time(Duration::from_secs(10)).throughput(Throughput::Bytes(bytes));
    group.bench_function("hotpass", |bencher| bencher.iter(|| read(black_box(&csv))));
    group.finish();

    let sheet = folder.path().join("organisations.xlsx");
    write_sheet(&sheet);
    let file = SourceFile::inspect(&sheet, "organisations.xlsx").expect("the file just written");
    assert_eq!(read(&file), SHEET_ROWS as usize);
    let mut group = criterion.benchmark_group("xlsx_200k_rows");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(15))
        .throughput(Throughput::Elements(u64::from(SHEET_ROWS)));
    group.bench_function("hotpass", |bencher| bencher.iter(|| read(black_box(&file))));
    group.bench_function("calamine_raw_cells", |bencher| bencher.iter(|| iterate_cells(black_box(&sheet))));
    group.finish();
}

criterion_group!(benches, ingest_files);
criterion_main!(benches);
