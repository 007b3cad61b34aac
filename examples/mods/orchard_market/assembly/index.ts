// The market sells what the bees bring. A mod in AssemblyScript whose functions speak JSON.
import { Level, give, log, random, take } from "./host";
import { Reader, Writer } from "./json";

export { __alloc_buffer, __free_buffer } from "./host";

const PRICE = 2.5;

/** The game shows a text, and tells how often it did so far. */
@external("env", "__announce")
declare function __announce(text: u64): u64;

function announce(text: string): u32 {
  const answer = new Reader(take(__announce(give(new Writer().string(text).toString()))));
  return <u32>answer.number();
}

/** `double_prices(prices: [f64]) -> [f64]`: an argument that is alone stands bare. */
export function __double_prices(args: u64): u64 {
  const input = new Reader(take(args));
  const output = new Writer().open("[");
  input.open("[");
  while (input.more("]")) output.number(input.number() * 2.0);
  input.end();
  return give(output.close("]").toString());
}

/** `haggle(offer: f64, demand: f64) -> f64`: several arguments are a list. Chance decides between the two. */
export function __haggle(args: u64): u64 {
  const input = new Reader(take(args));
  input.open("[");
  input.more("]");
  const offer = input.number();
  input.more("]");
  const demand = input.number();
  if (input.more("]")) throw new Error("haggle takes two numbers");
  input.end();
  return give(new Writer().number(offer + (demand - offer) * random()).toString());
}

/** `sell(basket: {jars, buyer}) -> {coins, receipt}`: the whole orchard hears of large sales. */
export function __sell(args: u64): u64 {
  let jars: u32 = 0;
  let buyer = "somebody";
  const input = new Reader(take(args));
  input.open("{");
  while (input.more("}")) {
    const field = input.key();
    if (field == "jars") jars = <u32>input.number();
    else if (field == "buyer") buyer = input.string();
    else input.skip();
  }
  input.end();

  const coins = PRICE * jars;
  let receipt = `${jars} jars for ${buyer}`;
  if (jars >= 10) receipt += `, announcement ${announce(`${buyer} buys ${jars} jars of honey`)}`;
  log(Level.Debug, receipt);
  return give(new Writer().open("{").key("coins").number(coins).key("receipt").string(receipt).close("}").toString());
}
