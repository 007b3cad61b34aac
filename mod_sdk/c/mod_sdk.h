/* mod_sdk.h: mods in C for games with bevy_wasm_mods. C11, one header, no library. `docs/abi.md` is the contract.
 *
 *     #define MOD_SDK_IMPLEMENTATION // in exactly one file of the mod
 *     #include "mod_sdk.h"
 *
 *     MOD_IDENTITY("healing", "0.1.0")
 *
 *     static void heal(mod_batch *batch) {
 *         mod_block patients = mod_block_of(batch, 0);
 *         float *health = MOD_COLUMN(patients, 0, float);
 *         for (uint32_t row = 0; row < patients.rows; row++) {
 *             health[row] += 1;
 *             mod_mark(patients, 0, row);
 *         }
 *     }
 *
 *     MOD_MAIN(app) {
 *         uint32_t type = mod_type(app, "my_game::Health", "{value:f32}", MOD_MIRROR);
 *         mod_system(app, "heal", "Update", heal);
 *         mod_query(app);
 *         mod_term(app, MOD_WRITE, type);
 *     }
 *
 *     clang --target=wasm32 -std=c11 -O2 -mbulk-memory -ffreestanding -nostdlib \
 *         -Wl,--no-entry -Wl,--stack-first -Wl,--strip-all -o healing.wasm healing.c
 *
 * A mistake, such as bytes that are not the value that is read, ends the call with a sentence in the game's log. What
 * this header has no words for can be written with `mod_put_...` as abi.md says.
 */
#ifndef MOD_SDK_H
#define MOD_SDK_H

#include <stdbool.h>
#include <stdint.h>

#define MOD_ABI_VERSION "3"

/* ---- who the mod is and what it offers: sections that the host reads without running anything ---- */

/* A line in a custom section. It is pasted into assembly: write a quote as \\\" and a backslash as \\\\. */
#define MOD_SECTION_LINE(section, line) \
    __asm__(".section .custom_section." section ",\"\",@\n.ascii \"" line "\\n\"\n.text\n");

/* Once: the mod's id (letters, digits, `_`, `-`) and its version, such as 0.1.0, in quotes. Further lines with
 * MOD_IDENTITY_LINE: `name: Healing`, `description: ...`, `homepage: ...`, `author: Ada`, `game: orchard ^0.3`,
 * `dependency: core ^1`, `optional: ...`, `incompatible: ...`, `after: hud`, `before: ...`, `codec: json`, and
 * `setting: appetite float 1.5 0..10 How fast they eat`. */
#define MOD_IDENTITY(id, version)                \
    MOD_IDENTITY_LINE("abi: " MOD_ABI_VERSION)   \
    MOD_IDENTITY_LINE("id: " id)                 \
    MOD_IDENTITY_LINE("version: " version)
#define MOD_IDENTITY_LINE(line) MOD_SECTION_LINE("bevy_mod", line)

/* States a function: `export bincode double ([f64])->[f64]`. MOD_EXPORT and MOD_IMPORT do it. */
#define MOD_FUNCTION_LINE(line) MOD_SECTION_LINE("bevy_mod_functions", line)

/* ---- memory ---- */

/* `len` bytes at a multiple of 16, not cleared; NULL if none are left or `len` is larger than 128 MiB. They stay the
 * mod's until it frees them. */
void *mod_alloc(uint32_t len);
/* Takes back what mod_alloc gave. NULL is ignored. */
void mod_free(void *start);

/* ---- talking to the game ---- */

enum { MOD_ERROR = 1, MOD_WARN, MOD_INFO, MOD_DEBUG, MOD_TRACE };

/* A line for the game's log, cut after 255 bytes. Formats: %s text, %d int, %u unsigned, %f double with two digits, %%. */
__attribute__((format(printf, 2, 3))) void mod_log(uint32_t level, const char *format, ...);
/* Ends the call for good: nothing of it reaches the game, which throws this instance of the mod away. */
__attribute__((format(printf, 1, 2))) _Noreturn void mod_panic(const char *format, ...);
/* Fills `len` bytes with random numbers of the game. */
void mod_random(void *bytes, uint32_t len);
uint32_t mod_random_u32(void);

#define MOD_RAW_IMPORT(name) __attribute__((import_module("env"), import_name(name)))

/* The row of an entity in the running system's query `param`, or UINT32_MAX if it is in none. */
MOD_RAW_IMPORT("__query_row") uint32_t mod_query_row(uint32_t param, uint64_t entity);
/* The id of an entity that the running system will spawn by a command. */
MOD_RAW_IMPORT("__entity_reserve") uint64_t mod_entity_reserve(void);

/* ---- values out: a writer owns its bytes and grows; begin with `mod_writer out = {0};` ---- */

typedef struct mod_writer {
    uint8_t *start;
    uint32_t len, room; /* in bytes */
} mod_writer;

void mod_put_bytes(mod_writer *out, const void *bytes, uint32_t len); /* as they are, without a length */
void mod_put_text(mod_writer *out, const char *text, uint32_t len);   /* a String */
void mod_put_str(mod_writer *out, const char *text);                  /* a String that ends at its 0 */
static inline void mod_put_u8(mod_writer *out, uint8_t value) { mod_put_bytes(out, &value, 1); }
static inline void mod_put_bool(mod_writer *out, bool value) { mod_put_u8(out, value); }
static inline void mod_put_u16(mod_writer *out, uint16_t value) { mod_put_bytes(out, &value, 2); }
static inline void mod_put_u32(mod_writer *out, uint32_t value) { mod_put_bytes(out, &value, 4); }
static inline void mod_put_u64(mod_writer *out, uint64_t value) { mod_put_bytes(out, &value, 8); }
static inline void mod_put_i32(mod_writer *out, int32_t value) { mod_put_bytes(out, &value, 4); }
static inline void mod_put_i64(mod_writer *out, int64_t value) { mod_put_bytes(out, &value, 8); }
static inline void mod_put_f32(mod_writer *out, float value) { mod_put_bytes(out, &value, 4); }
static inline void mod_put_f64(mod_writer *out, double value) { mod_put_bytes(out, &value, 8); }
/* In front of the items of a list or the pairs of a map. */
static inline void mod_put_list(mod_writer *out, uint64_t items) { mod_put_u64(out, items); }

/* Hands the bytes over as a buffer, whose receiver frees it, and leaves the writer empty. */
uint64_t mod_give(mod_writer *out);
/* Frees the bytes. */
void mod_discard(mod_writer *out);

/* ---- values in: what is read past the end, or left over at the end, is a panic ---- */

typedef struct mod_reader {
    const uint8_t *at, *end;
    void *owned; /* freed by mod_read_end */
} mod_reader;

/* Bytes in somebody's memory, valid as long as that is. Not ended by a 0. */
typedef struct mod_text {
    const char *start;
    uint32_t len;
} mod_text;

mod_reader mod_read(uint64_t buffer);   /* takes the buffer over */
void mod_read_end(mod_reader *in);      /* everything has to be read; frees the buffer, and texts in it */
const void *mod_get_bytes(mod_reader *in, uint32_t len);
mod_text mod_get_text(mod_reader *in);  /* a String */
mod_text mod_get_rest(mod_reader *in);  /* everything that is left, as it is */
bool mod_get_bool(mod_reader *in);
uint8_t mod_get_u8(mod_reader *in);
uint16_t mod_get_u16(mod_reader *in);
uint32_t mod_get_u32(mod_reader *in);
uint64_t mod_get_u64(mod_reader *in);
int32_t mod_get_i32(mod_reader *in);
int64_t mod_get_i64(mod_reader *in);
float mod_get_f32(mod_reader *in);
double mod_get_f64(mod_reader *in);
uint32_t mod_get_list(mod_reader *in);  /* how many items follow: never more than there are bytes */

/* A time in a batch, packed. */
typedef struct __attribute__((packed)) mod_duration {
    uint64_t seconds;
    uint32_t nanoseconds;
} mod_duration;

/* ---- functions ---- */

/* A function that the game can call by its name. Read the arguments from `in`, all of them, and write the result to `out`:
 *
 *     MOD_EXPORT(add, "(u32,u32)->u32") {
 *         uint32_t a = mod_get_u32(in), b = mod_get_u32(in);
 *         mod_put_u32(out, a + b);
 *     }
 *
 * The signature is made of schemas, `_` for what is not stated; nothing is `()`. The game compares it before it calls. */
#define MOD_EXPORT(name, signature)                                                                 \
    MOD_FUNCTION_LINE("export bincode " #name " " signature)                                        \
    static void mod_body_of_##name(mod_reader *in, mod_writer *out);                                \
    __attribute__((export_name("__" #name))) uint64_t mod_export_##name(uint64_t arguments) {       \
        return mod_answer(arguments, mod_body_of_##name);                                           \
    }                                                                                               \
    static void mod_body_of_##name(__attribute__((unused)) mod_reader *in, __attribute__((unused)) mod_writer *out)

/* A function of the game. It takes the arguments over and returns the result, to be ended with mod_read_end:
 *
 *     MOD_IMPORT(announce, "(str)->u32")
 *     ...
 *     mod_writer arguments = {0};
 *     mod_put_str(&arguments, "hello");
 *     mod_reader answer = announce(&arguments);
 *     uint32_t count = mod_get_u32(&answer);
 *     mod_read_end(&answer); */
#define MOD_IMPORT(name, signature)                          \
    MOD_FUNCTION_LINE("import bincode " #name " " signature) \
    MOD_HOST_FUNCTION(name)

/* A function of another mod, by that mod's id, which has to stand in a line `dependency: ...` or `optional: ...` of the identity.
 * The other mod may be missing, busy or fail, so the answer begins with a status; behind every other than MOD_ANSWERED
 * there is a sentence about it: mod_get_rest. It ends with mod_read_end, too:
 *
 *     MOD_IDENTITY_LINE("dependency: bees")
 *     MOD_IMPORT_OF("bees", honey, "(u32)->u32")
 *     ...
 *     uint32_t status, jars = 0;
 *     mod_reader answer = honey(&arguments, &status);
 *     if (status == MOD_ANSWERED) jars = mod_get_u32(&answer);
 *     else mod_get_rest(&answer);
 *     mod_read_end(&answer); */
enum { MOD_ANSWERED, MOD_NOT_RUNNING, MOD_NO_SUCH_FUNCTION, MOD_BUSY, MOD_FAILED, MOD_REFUSED };

#define MOD_IMPORT_OF(mod, name, signature)                                               \
    MOD_FUNCTION_LINE("import bincode " mod "::" #name " " signature)                     \
    __attribute__((import_module("mod:" mod), import_name("__" #name))) uint64_t          \
    mod_import_of_##name(uint64_t arguments);                                             \
    static inline mod_reader name(mod_writer *arguments, uint32_t *status) {              \
        mod_reader answer = mod_read(mod_import_of_##name(mod_give(arguments)));          \
        *status = mod_get_u32(&answer);                                                   \
        return answer;                                                                    \
    }

/* As MOD_IMPORT for functions of the contract, which are not stated: `world_prepare`, `query_ticks`, ... */
#define MOD_HOST_FUNCTION(name)                                                    \
    MOD_RAW_IMPORT("__" #name) uint64_t mod_import_##name(uint64_t arguments);     \
    static inline mod_reader name(mod_writer *arguments) {                         \
        return mod_read(mod_import_##name(mod_give(arguments)));                   \
    }

uint64_t mod_answer(uint64_t arguments, void (*function)(mod_reader *in, mod_writer *out));

/* ---- jobs: what a function of the game has started and not yet finished; it returned a ticket, a u64 ---- */

enum { MOD_JOB_PENDING, MOD_JOB_DONE, MOD_JOB_FAILED, MOD_JOB_UNKNOWN };

MOD_RAW_IMPORT("__job_state") uint32_t mod_job_state(uint64_t ticket);
MOD_RAW_IMPORT("__job_take") uint64_t mod_job_take_buffer(uint64_t ticket);
MOD_RAW_IMPORT("__job_cancel") void mod_job_cancel(uint64_t ticket);
/* The result of a job that is done, or, for one that failed, the reason: mod_get_rest. To be ended with mod_read_end. */
static inline mod_reader mod_job_take(uint64_t ticket) { return mod_read(mod_job_take_buffer(ticket)); }

/* ---- a system's batch: copies of what it asked for; nothing in it is valid when the system has returned ---- */

typedef struct mod_batch {
    uint8_t *start;
    mod_writer *commands; /* empty at first; what is written here is done to the World: see "Commands" in abi.md */
} mod_batch;

/* What one parameter of the system got. */
typedef struct mod_block {
    uint8_t *start;
    uint32_t rows, columns;
} mod_block;

/* Parameters count from 0 in the order in which they were added. A resource has one row and one column. */
mod_block mod_block_of(const mod_batch *batch, uint32_t param);

/* The rows of a column as an array of `type`, to be read and, if the term says so, written where they stand. `type` has
 * to have the size of the encoded value: pack structs that would have gaps. */
#define MOD_COLUMN(block, column, type) ((type *)mod_column((block), (column), sizeof(type)))
void *mod_column(mod_block block, uint32_t column, uint32_t size);

/* The row was written: without the mark the game does not look at it. */
void mod_mark(mod_block block, uint32_t column, uint32_t row);
/* Whether the row has the component, in optional columns and those of MOD_HAS. */
bool mod_is_present(mod_block block, uint32_t column, uint32_t row);
/* A row of a type whose size varies. */
mod_reader mod_row(mod_block block, uint32_t column, uint32_t row);
/* The new encodings of all marked rows of such a column, one behind the other. They have to last until the mod is called
 * again: keep the writer, and set its `len` to 0 before the next use. */
void mod_replace_rows(mod_block block, uint32_t column, const mod_writer *rows);

/* ---- what the mod wants from the game: MOD_MAIN(app) { ... }, run when the mod is loaded ---- */

enum { MOD_MIRROR, MOD_PART }; /* roles: all fields of a type of the game, or some of them */
enum { MOD_COMPONENT, MOD_SPARSE_COMPONENT, MOD_RESOURCE, MOD_MESSAGE, MOD_EVENT, MOD_SETTINGS }; /* kinds of the mod's own types */
enum { MOD_ENTITY, MOD_READ, MOD_WRITE, MOD_READ_OPTIONAL, MOD_WRITE_OPTIONAL, MOD_HAS }; /* terms */
enum { MOD_WITH, MOD_WITHOUT, MOD_ADDED, MOD_CHANGED }; /* filters */
enum { MOD_ON_EVENT, MOD_ON_ADD, MOD_ON_INSERT, MOD_ON_DISCARD, MOD_ON_REMOVE, MOD_ON_DESPAWN }; /* observers */
enum { MOD_WORLD = 2, MOD_COMMANDS = 4, MOD_MESSAGE_READER, MOD_MESSAGE_WRITER, MOD_EVENT_DATA }; /* other parameters */

typedef struct mod_list {
    mod_writer bytes;
    uint64_t count;
} mod_list;

typedef void (*mod_system_function)(mod_batch *batch);

typedef struct mod_app {
    mod_list types, systems, observers, resources;
    mod_list params, order, conditions; /* of the system that was added last */
    mod_list terms, filters;            /* of the query that was added last */
    mod_writer head, system_functions, observer_functions, commands;
    uint32_t open;
    bool in_query, is_ready;
} mod_app;

/* Types: the path in the game and the schema, `{drops:u32}`. Returns the index by which everything else names it. */
uint32_t mod_type(mod_app *app, const char *path, const char *schema, uint32_t role);
/* A type of the mod's own. Its path is the mod's id, `::` and a name. */
uint32_t mod_define(mod_app *app, const char *path, const char *schema, uint32_t kind);

/* A system or an observer. What is added next, up to the next one, is what it reads and writes. */
void mod_system(mod_app *app, const char *name, const char *schedule, mod_system_function function);
void mod_observer(mod_app *app, const char *name, uint32_t event, uint32_t type, mod_system_function function);

void mod_query(mod_app *app);                                 /* a query; its terms and filters come next */
void mod_term(mod_app *app, uint32_t term, uint32_t type);    /* a column; MOD_ENTITY ignores the type */
void mod_filter(mod_app *app, uint32_t filter, uint32_t type);
void mod_resource(mod_app *app, uint32_t type, bool written); /* without the resource the system does not run */
void mod_optional_resource(mod_app *app, uint32_t type, bool written);
void mod_param(mod_app *app, uint32_t kind, uint32_t type);   /* MOD_WORLD, MOD_COMMANDS, MOD_EVENT_DATA ignore the type */
void mod_after(mod_app *app, const char *system);             /* `mod_id::system`, which need not be there */
void mod_before(mod_app *app, const char *system);

#define MOD_MAIN(app)                                                                               \
    static void mod_main_body(mod_app *app);                                                        \
    __attribute__((export_name("__mod_describe"))) uint64_t mod_export_describe(uint64_t nothing) { \
        return mod_describe(nothing, mod_main_body);                                                \
    }                                                                                               \
    __attribute__((export_name("__mod_run"))) uint64_t mod_export_run(uint64_t batch) {             \
        return mod_run(batch, mod_main_body);                                                       \
    }                                                                                               \
    static void mod_main_body(mod_app *app)

uint64_t mod_describe(uint64_t nothing, void (*describe)(mod_app *app));
uint64_t mod_run(uint64_t batch, void (*describe)(mod_app *app));

#endif /* MOD_SDK_H */

#if defined(MOD_SDK_IMPLEMENTATION) && !defined(MOD_SDK_IMPLEMENTED)
#define MOD_SDK_IMPLEMENTED

#include <stdarg.h>
#include <stddef.h>

/* ---- what clang may call although there is no library ---- */

#define MOD_LIBRARY __attribute__((weak, no_builtin))

MOD_LIBRARY void *memcpy(void *restrict to, const void *restrict from, size_t len) {
    for (size_t i = 0; i < len; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

MOD_LIBRARY void *memmove(void *to, const void *from, size_t len) {
    if ((uintptr_t)to <= (uintptr_t)from) return memcpy(to, from, len);
    while (len--) ((uint8_t *)to)[len] = ((const uint8_t *)from)[len];
    return to;
}

MOD_LIBRARY void *memset(void *to, int byte, size_t len) {
    for (size_t i = 0; i < len; i++) ((uint8_t *)to)[i] = (uint8_t)byte;
    return to;
}

MOD_LIBRARY int memcmp(const void *a, const void *b, size_t len) {
    for (size_t i = 0; i < len; i++) {
        int difference = ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
        if (difference) return difference;
    }
    return 0;
}

/* ---- memory: blocks of 2^n bytes, each behind 16 bytes that hold n; freed blocks wait in a list for each n ---- */

enum { MOD_ALIGN = 16, MOD_SMALLEST = 5, MOD_LARGEST = 27, MOD_PAGE = 65536 };

extern uint8_t __heap_base; /* defined by the linker: where free memory begins */
static uintptr_t mod_fresh;
static void *mod_freed[MOD_LARGEST + 1];

__attribute__((export_name("__alloc_buffer"))) void *mod_alloc(uint32_t len) {
    uint32_t n = MOD_SMALLEST;
    while (n <= MOD_LARGEST && ((uint32_t)1 << n) - MOD_ALIGN < len) n++;
    if (n > MOD_LARGEST) return NULL;
    uint8_t *block = mod_freed[n];
    if (block) {
        mod_freed[n] = *(void **)(block + MOD_ALIGN);
        return block + MOD_ALIGN;
    }
    if (!mod_fresh) mod_fresh = ((uintptr_t)&__heap_base + MOD_ALIGN - 1) & ~(uintptr_t)(MOD_ALIGN - 1);
    uint64_t end = (uint64_t)mod_fresh + ((uint32_t)1 << n);
    uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * MOD_PAGE;
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + MOD_PAGE - 1) / MOD_PAGE) == (size_t)-1) return NULL;
    block = (uint8_t *)mod_fresh;
    mod_fresh = (uintptr_t)end;
    *(uint32_t *)block = n;
    return block + MOD_ALIGN;
}

void mod_free(void *start) {
    if (!start) return;
    uint8_t *block = (uint8_t *)start - MOD_ALIGN;
    uint32_t n = *(uint32_t *)block;
    *(void **)start = mod_freed[n];
    mod_freed[n] = block;
}

/* The address of an empty buffer means nothing. */
static void *mod_start_of(uint64_t buffer) { return (uint32_t)buffer ? (void *)(uintptr_t)(buffer >> 32) : NULL; }

static uint64_t mod_buffer_of(const void *start, uint32_t len) {
    return len ? (uint64_t)(uintptr_t)start << 32 | len : 0;
}

__attribute__((export_name("__free_buffer"))) void mod_free_buffer(uint64_t buffer) { mod_free(mod_start_of(buffer)); }

/* ---- talking to the game ---- */

MOD_RAW_IMPORT("__log") void mod_import_log(uint32_t level, const char *text, uint32_t len);
MOD_RAW_IMPORT("__panic") void mod_import_panic(const char *text, uint32_t len);
MOD_RAW_IMPORT("__getrandom") uint32_t mod_import_random(void *bytes, uint32_t len);

enum { MOD_LINE = 255, MOD_MOST_RANDOM = 1 << 20 };

typedef struct mod_line {
    char text[MOD_LINE];
    uint32_t len;
} mod_line;

static void mod_line_char(mod_line *line, char letter) {
    if (line->len < MOD_LINE) line->text[line->len++] = letter;
}

static void mod_line_number(mod_line *line, uint64_t number, uint32_t digits) {
    if (number >= 10 || digits > 1) mod_line_number(line, number / 10, digits > 1 ? digits - 1 : 1);
    mod_line_char(line, (char)('0' + number % 10));
}

static void mod_line_double(mod_line *line, double number) {
    if (number != number) number = 0; /* there is no number to show */
    if (number < 0) mod_line_char(line, '-');
    double size = number < 0 ? -number : number;
    uint64_t hundredths = size < 1e16 ? (uint64_t)(size * 100 + 0.5) : UINT64_MAX;
    mod_line_number(line, hundredths / 100, 1);
    mod_line_char(line, '.');
    mod_line_number(line, hundredths % 100, 2);
}

static void mod_line_format(mod_line *line, const char *format, va_list values) {
    for (; *format; format++) {
        if (*format != '%') {
            mod_line_char(line, *format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *text = va_arg(values, const char *); *text; text++) mod_line_char(line, *text);
            break;
        case 'd': {
            int64_t number = va_arg(values, int);
            if (number < 0) mod_line_char(line, '-');
            mod_line_number(line, (uint64_t)(number < 0 ? -number : number), 1);
            break;
        }
        case 'u': mod_line_number(line, va_arg(values, unsigned), 1); break;
        case 'f': mod_line_double(line, va_arg(values, double)); break;
        case 0: return;
        default: mod_line_char(line, *format);
        }
    }
}

void mod_log(uint32_t level, const char *format, ...) {
    mod_line line = {.len = 0};
    va_list values;
    va_start(values, format);
    mod_line_format(&line, format, values);
    va_end(values);
    mod_import_log(level, line.text, line.len);
}

_Noreturn void mod_panic(const char *format, ...) {
    mod_line line = {.len = 0};
    va_list values;
    va_start(values, format);
    mod_line_format(&line, format, values);
    va_end(values);
    mod_import_panic(line.text, line.len);
    __builtin_trap();
}

void mod_random(void *bytes, uint32_t len) {
    for (uint32_t done = 0; done < len;) {
        uint32_t part = len - done < MOD_MOST_RANDOM ? len - done : MOD_MOST_RANDOM;
        uint32_t code = mod_import_random((uint8_t *)bytes + done, part);
        if (code) mod_panic("the game has no random numbers: %u", code);
        done += part;
    }
}

uint32_t mod_random_u32(void) {
    uint32_t number;
    mod_random(&number, sizeof number);
    return number;
}

/* ---- values ---- */

/* Doubles the room, so that many small values do not move what is there each time. */
static void mod_grow(mod_writer *out, uint64_t wanted) {
    uint64_t room = wanted < 48 ? 48 : wanted * 2 - MOD_ALIGN; /* with the 16 bytes in front it fills a block */
    uint8_t *start = room <= UINT32_MAX ? mod_alloc((uint32_t)room) : NULL;
    if (!start) {
        room = wanted;
        start = room <= UINT32_MAX ? mod_alloc((uint32_t)room) : NULL;
    }
    if (!start) mod_panic("no memory left");
    memcpy(start, out->start, out->len);
    mod_free(out->start);
    out->start = start;
    out->room = (uint32_t)room;
}

void mod_put_bytes(mod_writer *out, const void *bytes, uint32_t len) {
    uint64_t wanted = (uint64_t)out->len + len;
    if (wanted > out->room) mod_grow(out, wanted);
    memcpy(out->start + out->len, bytes, len);
    out->len += len;
}

void mod_put_text(mod_writer *out, const char *text, uint32_t len) {
    mod_put_u64(out, len);
    mod_put_bytes(out, text, len);
}

void mod_put_str(mod_writer *out, const char *text) {
    uint32_t len = 0;
    while (text[len]) len++;
    mod_put_text(out, text, len);
}

uint64_t mod_give(mod_writer *out) {
    uint64_t buffer = mod_buffer_of(out->start, out->len);
    if (!buffer) mod_free(out->start);
    *out = (mod_writer){0};
    return buffer;
}

void mod_discard(mod_writer *out) {
    mod_free(out->start);
    *out = (mod_writer){0};
}

mod_reader mod_read(uint64_t buffer) {
    uint8_t *start = mod_start_of(buffer);
    return (mod_reader){.at = start, .end = start + (uint32_t)buffer, .owned = start};
}

void mod_read_end(mod_reader *in) {
    if (in->at != in->end) mod_panic("%u bytes are left over after the value", (uint32_t)(in->end - in->at));
    mod_free(in->owned);
    *in = (mod_reader){0};
}

const void *mod_get_bytes(mod_reader *in, uint32_t len) {
    uint32_t left = (uint32_t)(in->end - in->at);
    if (len > left) mod_panic("a value needs %u bytes, but only %u are left", len, left);
    const uint8_t *bytes = in->at;
    in->at += len;
    return bytes;
}

#define MOD_GET(name, type)                              \
    type mod_get_##name(mod_reader *in) {                \
        type value;                                      \
        const void *bytes = mod_get_bytes(in, sizeof value); \
        memcpy(&value, bytes, sizeof value);             \
        return value;                                    \
    }
MOD_GET(u8, uint8_t)
MOD_GET(u16, uint16_t)
MOD_GET(u32, uint32_t)
MOD_GET(u64, uint64_t)
MOD_GET(i32, int32_t)
MOD_GET(i64, int64_t)
MOD_GET(f32, float)
MOD_GET(f64, double)

bool mod_get_bool(mod_reader *in) {
    uint8_t byte = mod_get_u8(in);
    if (byte > 1) mod_panic("%u is not a bool", byte);
    return byte;
}

uint32_t mod_get_list(mod_reader *in) {
    uint64_t items = mod_get_u64(in);
    uint32_t left = (uint32_t)(in->end - in->at);
    if (items > left) mod_panic("a list or text is longer than the %u bytes that are left", left);
    return (uint32_t)items;
}

mod_text mod_get_text(mod_reader *in) {
    uint32_t len = mod_get_list(in);
    return (mod_text){.start = mod_get_bytes(in, len), .len = len};
}

mod_text mod_get_rest(mod_reader *in) {
    uint32_t len = (uint32_t)(in->end - in->at);
    return (mod_text){.start = mod_get_bytes(in, len), .len = len};
}

uint64_t mod_answer(uint64_t arguments, void (*function)(mod_reader *in, mod_writer *out)) {
    mod_reader in = mod_read(arguments);
    mod_writer out = {0};
    function(&in, &out);
    mod_read_end(&in);
    return mod_give(&out);
}

/* ---- batches: see "Batches" in abi.md ---- */

typedef struct mod_column_header {
    uint32_t data, data_len, stride, offsets, dirty, present, out, out_len;
} mod_column_header;

static uint32_t mod_u32_at(const uint8_t *at) { return *(const uint32_t *)at; }

mod_block mod_block_of(const mod_batch *batch, uint32_t param) {
    uint32_t offset = param < mod_u32_at(batch->start + 4) ? mod_u32_at(batch->start + 16 + 4 * param) : 0;
    if (!offset) mod_panic("the system has no parameter %u with data", param);
    uint8_t *start = batch->start + offset;
    return (mod_block){.start = start, .rows = mod_u32_at(start), .columns = mod_u32_at(start + 4)};
}

static mod_column_header *mod_header(mod_block block, uint32_t column) {
    if (column >= block.columns) mod_panic("there is no column %u of %u", column, block.columns);
    return (mod_column_header *)(block.start + 16) + column;
}

static void mod_check_row(mod_block block, uint32_t row) {
    if (row >= block.rows) mod_panic("there is no row %u of %u", row, block.rows);
}

void *mod_column(mod_block block, uint32_t column, uint32_t size) {
    mod_column_header *header = mod_header(block, column);
    if (block.rows && header->stride != size) {
        mod_panic("column %u has rows of %u bytes, not %u", column, header->stride, size);
    }
    return block.start + header->data;
}

void mod_mark(mod_block block, uint32_t column, uint32_t row) {
    mod_column_header *header = mod_header(block, column);
    mod_check_row(block, row);
    if (!header->dirty) mod_panic("column %u may not be written", column);
    block.start[header->dirty + row] = 1;
}

bool mod_is_present(mod_block block, uint32_t column, uint32_t row) {
    mod_column_header *header = mod_header(block, column);
    mod_check_row(block, row);
    return !header->present || block.start[header->present + row];
}

mod_reader mod_row(mod_block block, uint32_t column, uint32_t row) {
    mod_column_header *header = mod_header(block, column);
    mod_check_row(block, row);
    const uint32_t *ends = (const uint32_t *)(block.start + header->offsets) + row;
    const uint8_t *data = block.start + header->data;
    if (header->offsets) return (mod_reader){.at = data + ends[0], .end = data + ends[1]};
    return (mod_reader){.at = data + row * header->stride, .end = data + (row + 1) * header->stride};
}

void mod_replace_rows(mod_block block, uint32_t column, const mod_writer *rows) {
    mod_column_header *header = mod_header(block, column);
    header->out = (uint32_t)(uintptr_t)rows->start;
    header->out_len = rows->len;
}

/* ---- the description: see "The description" in abi.md ---- */

enum { MOD_NOTHING_OPEN, MOD_SYSTEM_OPEN, MOD_OBSERVER_OPEN };

static mod_app mod_the_app;

static void mod_put_items(mod_writer *out, mod_list *list) {
    mod_put_list(out, list->count);
    mod_put_bytes(out, list->bytes.start, list->bytes.len);
    mod_discard(&list->bytes);
    list->count = 0;
}

static mod_writer *mod_add(mod_list *list) {
    list->count++;
    return &list->bytes;
}

static void mod_close_query(mod_app *app) {
    if (!app->in_query) return;
    mod_writer *param = mod_add(&app->params);
    mod_put_u32(param, 0);
    mod_put_items(param, &app->terms);
    mod_put_items(param, &app->filters);
    app->in_query = false;
}

static void mod_close(mod_app *app) {
    mod_close_query(app);
    if (app->open == MOD_NOTHING_OPEN) return;
    bool is_system = app->open == MOD_SYSTEM_OPEN;
    mod_writer *out = mod_add(is_system ? &app->systems : &app->observers);
    mod_put_bytes(out, app->head.start, app->head.len);
    mod_put_items(out, &app->params);
    if (is_system) {
        mod_put_items(out, &app->order);
        mod_put_items(out, &app->conditions);
    }
    mod_discard(&app->head);
    app->open = MOD_NOTHING_OPEN;
}

static mod_writer *mod_new_type(mod_app *app, const char *path, const char *schema) {
    mod_writer *out = mod_add(&app->types);
    mod_put_str(out, path);
    mod_put_str(out, schema);
    return out;
}

uint32_t mod_type(mod_app *app, const char *path, const char *schema, uint32_t role) {
    mod_put_u32(mod_new_type(app, path, schema), role);
    return (uint32_t)app->types.count - 1;
}

uint32_t mod_define(mod_app *app, const char *path, const char *schema, uint32_t kind) {
    mod_writer *out = mod_new_type(app, path, schema);
    mod_put_u32(out, 2); /* a definition */
    mod_put_u32(out, kind);
    mod_put_u8(out, 0); /* no default */
    return (uint32_t)app->types.count - 1;
}

void mod_system(mod_app *app, const char *name, const char *schedule, mod_system_function function) {
    mod_close(app);
    app->open = MOD_SYSTEM_OPEN;
    mod_put_str(&app->head, name);
    mod_put_str(&app->head, schedule);
    mod_put_u32(&app->system_functions, (uint32_t)(uintptr_t)function);
}

void mod_observer(mod_app *app, const char *name, uint32_t event, uint32_t type, mod_system_function function) {
    mod_close(app);
    app->open = MOD_OBSERVER_OPEN;
    mod_put_str(&app->head, name);
    mod_put_u32(&app->head, event);
    mod_put_u32(&app->head, type);
    mod_put_u32(&app->observer_functions, (uint32_t)(uintptr_t)function);
}

static mod_writer *mod_new_param(mod_app *app, uint32_t kind) {
    mod_close_query(app);
    if (app->open == MOD_NOTHING_OPEN) mod_panic("parameters belong to a system: call mod_system first");
    mod_writer *param = mod_add(&app->params);
    mod_put_u32(param, kind);
    return param;
}

void mod_query(mod_app *app) {
    mod_close_query(app);
    app->in_query = true;
}

void mod_term(mod_app *app, uint32_t term, uint32_t type) {
    mod_writer *out = mod_add(&app->terms);
    mod_put_u32(out, term);
    if (term != MOD_ENTITY) mod_put_u32(out, type);
}

void mod_filter(mod_app *app, uint32_t filter, uint32_t type) {
    mod_writer *out = mod_add(&app->filters);
    mod_put_u32(out, filter);
    mod_put_u32(out, type);
}

void mod_resource(mod_app *app, uint32_t type, bool written) {
    mod_writer *param = mod_new_param(app, 1);
    mod_put_u32(param, type);
    mod_put_bool(param, written);
}

void mod_optional_resource(mod_app *app, uint32_t type, bool written) {
    mod_writer *param = mod_new_param(app, 3);
    mod_put_u32(param, type);
    mod_put_bool(param, written);
}

void mod_param(mod_app *app, uint32_t kind, uint32_t type) {
    mod_writer *param = mod_new_param(app, kind);
    if (kind == MOD_MESSAGE_READER || kind == MOD_MESSAGE_WRITER) mod_put_u32(param, type);
}

static void mod_put_order(mod_app *app, uint32_t direction, const char *system) {
    mod_writer *out = mod_add(&app->order);
    mod_put_u32(out, direction);
    mod_put_u32(out, 1); /* by name */
    mod_put_str(out, system);
}

void mod_after(mod_app *app, const char *system) { mod_put_order(app, 0, system); }
void mod_before(mod_app *app, const char *system) { mod_put_order(app, 1, system); }

static mod_app *mod_ready_app(void (*describe)(mod_app *app)) {
    if (!mod_the_app.is_ready) {
        describe(&mod_the_app);
        mod_close(&mod_the_app);
        mod_the_app.is_ready = true;
    }
    return &mod_the_app;
}

uint64_t mod_describe(uint64_t nothing, void (*describe)(mod_app *app)) {
    (void)nothing;
    mod_app *app = mod_ready_app(describe);
    mod_writer out = {0};
    mod_put_items(&out, &app->types);
    mod_put_items(&out, &app->systems);
    mod_put_items(&out, &app->observers);
    mod_put_items(&out, &app->resources);
    return mod_give(&out);
}

uint64_t mod_run(uint64_t buffer, void (*describe)(mod_app *app)) {
    mod_app *app = mod_ready_app(describe);
    /* The batch and the commands stay where they are when this returns: the host reads both and frees neither. */
    mod_batch batch = {.start = mod_start_of(buffer), .commands = &app->commands};
    app->commands.len = 0;
    uint32_t systems = app->system_functions.len / 4, index = mod_u32_at(batch.start);
    mod_writer *functions = index < systems ? &app->system_functions : &app->observer_functions;
    uint32_t place = index < systems ? index : index - systems;
    if (place >= functions->len / 4) mod_panic("there is no system %u", index);
    ((mod_system_function)(uintptr_t)((uint32_t *)functions->start)[place])(&batch);
    return mod_buffer_of(app->commands.start, app->commands.len);
}

#endif /* MOD_SDK_IMPLEMENTATION */
