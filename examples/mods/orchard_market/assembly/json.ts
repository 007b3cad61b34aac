// As much of JSON as a mod needs: values are read and written one after the other, without a tree of them.

/** Reads a text from front to back. What is not there is an error, and ends the call. */
export class Reader {
  private at: i32 = 0;
  /** Whether a list or object was just opened. */
  private isFirst: bool = false;

  /** `text` as it came from the game: nothing means `null`. */
  constructor(private text: string) {
    if (!text.length) this.text = "null";
  }

  /** A number. */
  number(): f64 {
    this.skipSpace();
    const start = this.at;
    while (isOfNumber(this.peek())) this.at++;
    const number = F64.parseFloat(this.text.substring(start, this.at));
    if (isNaN(number)) this.fail("a number");
    return number;
  }

  string(): string {
    this.expect('"');
    let text = "";
    let start = this.at;
    while (true) {
      const letter = this.peek();
      if (letter < 0) this.fail('"');
      this.at++;
      if (letter == '"'.charCodeAt(0)) return text + this.text.substring(start, this.at - 1);
      if (letter == "\\".charCodeAt(0)) {
        text += this.text.substring(start, this.at - 1) + this.escaped();
        start = this.at;
      }
    }
  }

  bool(): bool {
    if (this.word("true")) return true;
    if (!this.word("false")) this.fail("a bool");
    return false;
  }

  /** Whether the next value is `null`, which is then read. */
  isNull(): bool {
    return this.word("null");
  }

  /** Opens a list, `[`, or an object, `{`. Before each item or field, ask `more`. */
  open(bracket: string): void {
    this.expect(bracket);
    this.isFirst = true;
  }

  /** Whether there is another one before the closing bracket, which is read if not. */
  more(bracket: string): bool {
    this.skipSpace();
    const isFirst = this.isFirst;
    this.isFirst = false;
    if (this.peek() == bracket.charCodeAt(0)) {
      this.at++;
      return false;
    }
    if (!isFirst) this.expect(",");
    return true;
  }

  /** The name of a field, whose value follows. */
  key(): string {
    const name = this.string();
    this.expect(":");
    return name;
  }

  /** Reads over a value, such as one of a field that is not known. */
  skip(): void {
    this.skipSpace();
    const next = this.peek();
    if (next == '"'.charCodeAt(0)) {
      this.string();
    } else if (next == "[".charCodeAt(0)) {
      this.open("[");
      while (this.more("]")) this.skip();
    } else if (next == "{".charCodeAt(0)) {
      this.open("{");
      while (this.more("}")) {
        this.key();
        this.skip();
      }
    } else if (!this.word("true") && !this.word("false") && !this.word("null")) {
      this.number();
    }
  }

  /** The text has to end here. */
  end(): void {
    this.skipSpace();
    if (this.at < this.text.length) this.fail("the end");
  }

  /** The letter here, or -1 at the end. */
  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private skipSpace(): void {
    let next = this.peek();
    while (next == 0x20 || (next >= 0x09 && next <= 0x0d)) {
      this.at++;
      next = this.peek();
    }
  }

  private expect(letter: string): void {
    this.skipSpace();
    if (this.peek() != letter.charCodeAt(0)) this.fail(letter);
    this.at++;
  }

  private word(word: string): bool {
    this.skipSpace();
    if (!this.text.substr(this.at, word.length).startsWith(word)) return false;
    this.at += word.length;
    return true;
  }

  /** What stands for a letter behind a backslash. */
  private escaped(): string {
    const letter = this.text.charAt(this.at++);
    if (letter == "u") {
      const digits = this.text.substr(this.at, 4);
      this.at += 4;
      return String.fromCharCode(<i32>I32.parseInt(digits, 16));
    }
    const place = "bfnrt".indexOf(letter);
    return letter.length && place >= 0 ? "\b\f\n\r\t".charAt(place) : letter;
  }

  private fail(expected: string): void {
    throw new Error(`${expected} should stand at ${this.at} in the JSON of the game`);
  }
}

/** Digits, `+`, `-`, `.`, `E` and `e`. */
function isOfNumber(letter: i32): bool {
  if (letter >= 0x30 && letter <= 0x39) return true;
  return letter == 0x2b || letter == 0x2d || letter == 0x2e || letter == 0x45 || letter == 0x65;
}

/** Writes a text from front to back. Commas come by themselves. */
export class Writer {
  private parts: string[] = [];
  /** Whether no comma is needed. */
  private isFirst: bool = true;

  number(value: f64): this {
    return this.value(isFinite(value) ? value.toString() : "null");
  }

  /** A whole number: readers do not take `3.0` for one. */
  integer(value: i64): this {
    return this.value(value.toString());
  }

  bool(value: bool): this {
    return this.value(value ? "true" : "false");
  }

  string(value: string): this {
    return this.value(quoted(value));
  }

  open(bracket: string): this {
    this.value(bracket);
    this.isFirst = true;
    return this;
  }

  close(bracket: string): this {
    this.parts.push(bracket);
    this.isFirst = false;
    return this;
  }

  /** The name of a field, whose value has to follow. */
  key(name: string): this {
    this.value(quoted(name) + ":");
    this.isFirst = true;
    return this;
  }

  toString(): string {
    return this.parts.join("");
  }

  private value(text: string): this {
    if (!this.isFirst) this.parts.push(",");
    this.isFirst = false;
    this.parts.push(text);
    return this;
  }
}

function quoted(value: string): string {
  let text = '"';
  for (let i = 0; i < value.length; i++) {
    const letter = value.charCodeAt(i);
    if (letter == 0x22 || letter == 0x5c) text += "\\" + value.charAt(i);
    else if (letter < 0x20) text += "\\u00" + (letter < 0x10 ? "0" : "") + letter.toString(16);
    else text += value.charAt(i);
  }
  return text + '"';
}
