#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trailcreator::fuzzing::run("scan_reference", bytes));
