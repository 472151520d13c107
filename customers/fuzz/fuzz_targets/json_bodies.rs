#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| customers_fuzz::json_bodies(data));
