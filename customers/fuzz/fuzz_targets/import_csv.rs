#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| customers_fuzz::import_csv(data));
