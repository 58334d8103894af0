//! What a program took, as tables.

use crate::emulator::Run;
use crate::image::Image;

/// Crates that are listed by name.
const SHOWN: usize = 12;

pub fn print(image: &Image, run: &Run) {
    println!("\n{:>9}  flash", "bytes");
    for section in image.sections.iter().filter(|section| section.loaded) {
        println!("{:>9}  {}", section.size, section.name);
    }
    println!("{:>9}  in all", image.flash());

    println!("\n{:>9}  code by crate, as it was inlined", "bytes");
    for (krate, size) in image.code.iter().take(SHOWN) {
        println!("{size:>9}  {krate}");
    }
    let rest = image.code.iter().skip(SHOWN).map(|(_, size)| size);
    println!("{:>9}  others", rest.sum::<u64>());

    println!("\n{:>9} {:>11} {:>9}", "stack", "heap in use", "heap");
    println!("{:>9} {:>11} {:>9}  phase", "in it", "at its end", "so far");
    for phase in &run.phases {
        let in_use = phase
            .in_use
            .map_or(String::new(), |bytes| bytes.to_string());
        println!(
            "{:>9} {in_use:>11} {:>9}  {}",
            phase.stack, phase.heap, phase.name
        );
    }

    let heap = run.phases.iter().map(|phase| phase.heap).max().unwrap_or(0);
    let stack = run
        .phases
        .iter()
        .map(|phase| phase.stack)
        .max()
        .unwrap_or(0);
    let others = image.static_ram().saturating_sub(run.arena);
    println!("\n{:>9}  RAM", "bytes");
    println!("{others:>9}  .data, .bss, without the heap");
    println!("{heap:>9}  heap, of {}", run.arena);
    println!("{stack:>9}  stack");
    println!("{:>9}  in all", others + heap + stack);
    println!(
        "\nflash {} bytes, RAM {} bytes",
        image.flash(),
        others + heap + stack
    );
}
