#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // A panic that the program catches is none of its faults: one that leaves the entry ends the target all the same.
        drop(std::panic::take_hook());
    },
    |input: &[u8]| calsyncd::fuzzing::rule(input)
);
