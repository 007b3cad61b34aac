/* A whole mod in C, without a library: one function that the game can call and one system. `abi.md` explains it.
 * It shows every byte on purpose: with `mod_sdk/c/mod_sdk.h` a mod in C is much shorter.
 *
 *   clang --target=wasm32 -std=c11 -O2 -ffreestanding -nostdlib -Wl,--no-entry -o minimal_c.wasm abi_example.c
 */
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

/* ---- who the mod is and what its function takes: custom sections that the host reads without running anything ---- */

__asm__(".section .custom_section.bevy_mod,\"\",@\n"
        ".ascii \"abi: 3\\nid: minimal_c\\nversion: 0.1.0\\nauthor: Ada\\n\"\n"
        ".section .custom_section.bevy_mod_functions,\"\",@\n"
        ".ascii \"export bincode add (u32,u32)->u32\\n\"\n"
        ".text\n");

/* ---- memory: blocks of 2^n bytes, each behind 16 bytes that hold n; freed blocks wait in a list for each n ---- */

enum { ALIGN = 16, SMALLEST = 5, LARGEST = 27, PAGE = 65536 };

extern unsigned char __heap_base; /* defined by the linker: where free memory begins */
static uintptr_t fresh;
static void *freed[LARGEST + 1];

EXPORT("__alloc_buffer")
void *alloc_buffer(uint32_t len) {
    uint32_t n = SMALLEST;
    while (n <= LARGEST && ((uint32_t)1 << n) - ALIGN < len) n++;
    if (n > LARGEST) return 0;
    unsigned char *block = freed[n];
    if (block) {
        freed[n] = *(void **)(block + ALIGN);
        return block + ALIGN;
    }
    if (!fresh) fresh = ((uintptr_t)&__heap_base + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
    uint64_t end = (uint64_t)fresh + ((uint32_t)1 << n);
    uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == (uintptr_t)-1) return 0;
    block = (unsigned char *)fresh;
    fresh = end;
    *(uint32_t *)block = n;
    return block + ALIGN;
}

EXPORT("__free_buffer")
void free_buffer(uint64_t buffer) {
    if ((uint32_t)buffer == 0) return; /* the pointer of an empty buffer means nothing */
    unsigned char *start = (unsigned char *)(uintptr_t)(buffer >> 32);
    uint32_t n = *(uint32_t *)(start - ALIGN);
    *(void **)start = freed[n];
    freed[n] = start - ALIGN;
}

static uint64_t buffer_of(const void *start, uint32_t len) {
    return (uint64_t)(uintptr_t)start << 32 | len;
}

/* ---- the encoding: little endian, fixed width, lengths as u64 ---- */

static unsigned char *put_u32(unsigned char *at, uint32_t value) {
    for (int i = 0; i < 4; i++) *at++ = value >> (8 * i);
    return at;
}

static unsigned char *put_u64(unsigned char *at, uint64_t value) {
    return put_u32(put_u32(at, (uint32_t)value), value >> 32);
}

static unsigned char *put_str(unsigned char *at, const char *text) {
    uint64_t len = 0;
    while (text[len]) len++;
    at = put_u64(at, len);
    while (*text) *at++ = *text++;
    return at;
}

static uint32_t get_u32(const unsigned char *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* ---- what the mod offers and needs: a ModDescription ---- */

EXPORT("__mod_describe")
uint64_t describe(uint64_t nothing) {
    (void)nothing;
    unsigned char *start = alloc_buffer(256), *at = start;
    if (!start) __builtin_trap();
    at = put_u64(at, 1); /* types: one */
    at = put_str(at, "Health");
    at = put_str(at, "{value:f32}");
    at = put_u32(at, 0); /*   TypeRole::Mirror */
    at = put_u64(at, 1); /* systems: one */
    at = put_str(at, "heal");
    at = put_str(at, "Update");
    at = put_u64(at, 1); /*   params: one */
    at = put_u32(at, 0); /*     ParamDesc::Query */
    at = put_u64(at, 1); /*       terms: one */
    at = put_u32(at, 2); /*         TermDesc::Write */
    at = put_u32(at, 0); /*           types[0] */
    at = put_u64(at, 0); /*       filters: none */
    at = put_u64(at, 0); /*   order: none */
    at = put_u64(at, 0); /*   conditions: none */
    at = put_u64(at, 0); /* observers: none */
    at = put_u64(at, 0); /* resources: none */
    return buffer_of(start, at - start); /* the host frees it */
}

/* ---- the function: add(u32, u32) -> u32 ---- */

EXPORT("__add")
uint64_t add(uint64_t arguments) {
    if ((uint32_t)arguments != 8) __builtin_trap();
    const unsigned char *start = (const unsigned char *)(uintptr_t)(arguments >> 32);
    uint32_t sum = get_u32(start) + get_u32(start + 4);
    free_buffer(arguments); /* the receiver owns a buffer */
    unsigned char *result = alloc_buffer(4);
    if (!result) __builtin_trap();
    put_u32(result, sum);
    return buffer_of(result, 4);
}

/* ---- the system: heal everybody a little, up to 100 ---- */

EXPORT("__mod_run")
uint64_t run(uint64_t buffer) {
    unsigned char *batch = (unsigned char *)(uintptr_t)(buffer >> 32);
    uint32_t system = get_u32(batch);
    if (system != 0) __builtin_trap();
    unsigned char *block = batch + get_u32(batch + 16); /* of the first parameter */
    uint32_t rows = get_u32(block);
    unsigned char *column = block + 16; /* the header of the first column */
    float *health = (float *)(block + get_u32(column));
    uint8_t *dirty = block + get_u32(column + 16);
    for (uint32_t row = 0; row < rows; row++) {
        if (health[row] < 100) {
            health[row] += 1;
            dirty[row] = 1;
        }
    }
    return 0; /* no commands; the batch stays the host's */
}
