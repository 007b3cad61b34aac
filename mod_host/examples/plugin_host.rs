//! A host in twenty lines: `cargo run -p mod_host --example plugin_host`. The plugin is `greeter.wat`, beside this file.
#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use std::error::Error;

use mod_host::WasmPluginBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/greeter.wasm");
    let mut plugin = WasmPluginBuilder::from_file(path)?
        .with_context(Vec::new())
        .import_function_with_context("announce", |news: &mut Vec<String>, text: String| {
            news.push(text);
            u32::try_from(news.len()).unwrap_or(u32::MAX)
        })
        .finish()?;
    println!("{} {} is loaded", plugin.identity().id, plugin.identity().version);

    for name in ["Ada", "Grace"] {
        let greeting: String = plugin.call_function_with_argument("greet", name)?;
        println!("greet({name:?}) = {greeting:?}");
    }
    println!("it announced {:?}", plugin.context());

    let double = plugin.function::<Vec<f64>, Vec<f64>>("double")?;
    println!("double([1.5, 21.0]) = {:?}", plugin.call(&double, &vec![1.5, 21.0])?);

    // Whatever goes wrong is a value with a sentence for people.
    println!("{}", plugin.call_function::<String>("great").unwrap_err());
    println!("{}", plugin.function::<u32, u32>("double").unwrap_err());
    Ok(())
}
