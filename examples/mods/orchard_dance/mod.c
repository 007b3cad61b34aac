/* The bees dance: those with nectar fly up and down, each as chance will have it. A mod in C, without a library. */
#define MOD_SDK_IMPLEMENTATION
#include "mod_sdk.h"

MOD_IDENTITY("orchard_dance", "0.1.0")
MOD_IDENTITY_LINE("author: The orchard's keepers")

/* The game shows it, and tells how often it did so far. */
MOD_IMPORT(announce, "(str)->u32")

typedef struct {
    float x, y, z;
} place;

typedef struct {
    uint32_t drops;
} nectar;

/* Packed as in `{delta:duration,elapsed:duration}`. */
typedef struct {
    mod_duration delta, elapsed;
} clock;

static float wildness = 0.5f; /* how high they fly at most, in metres */
static uint64_t last_told;    /* in seconds */

static void tell(uint32_t dancers) {
    mod_writer arguments = {0};
    mod_put_str(&arguments, dancers > 1 ? "the bees dance" : "a bee dances");
    mod_reader answer = announce(&arguments);
    uint32_t count = mod_get_u32(&answer);
    mod_read_end(&answer);
    mod_log(MOD_DEBUG, "%u bees dance up to %f metres high, announcement %u", dancers, wildness, count);
}

static void dance(mod_batch *batch) {
    mod_block bees = mod_block_of(batch, 0);
    place *places = MOD_COLUMN(bees, 0, place);
    const nectar *loads = MOD_COLUMN(bees, 1, nectar);
    const clock *time = MOD_COLUMN(mod_block_of(batch, 1), 0, clock);

    uint32_t dancers = 0;
    for (uint32_t row = 0; row < bees.rows; row++) {
        if (loads[row].drops == 0) continue;
        places[row].z = wildness * (float)(mod_random_u32() >> 8) / (1 << 24);
        mod_mark(bees, 0, row);
        dancers++;
    }
    /* Every other second is often enough. */
    if (dancers && time->elapsed.seconds >= last_told + 2) {
        last_told = time->elapsed.seconds;
        tell(dancers);
    }
}

MOD_MAIN(app) {
    uint32_t transform = mod_type(app, "Transform", "{translation:{x:f32,y:f32,z:f32}}", MOD_PART);
    uint32_t load = mod_type(app, "hello_mods::Nectar", "{drops:u32}", MOD_MIRROR);
    uint32_t bee = mod_type(app, "hello_mods::Bee", "{}", MOD_MIRROR);
    uint32_t time = mod_type(app, "bevy_time::time::Time<()>", "{delta:duration,elapsed:duration}", MOD_PART);

    mod_system(app, "dance", "Update", dance);
    mod_query(app);
    mod_term(app, MOD_WRITE, transform);
    mod_term(app, MOD_READ, load);
    mod_filter(app, MOD_WITH, bee);
    mod_resource(app, time, false);
    mod_after(app, "orchard_wind::blow"); /* which moves them */
}

/* The game sets how wild the dance is, in metres, and gets what it was before. */
MOD_EXPORT(set_wildness, "(f32)->f32") {
    float metres = mod_get_f32(in);
    mod_put_f32(out, wildness);
    wildness = metres > 0 ? metres : 0;
}
