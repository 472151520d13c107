#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| customers_fuzz::customer_queries(data));
