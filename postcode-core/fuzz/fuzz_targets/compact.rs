#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postcode_core_fuzz::compact(data));
