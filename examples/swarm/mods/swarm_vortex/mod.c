/* A vortex at the mouse, or one that wanders where no mouse is. While a button is held, it pulls instead. A mod in C,
 * without a library. */
#define MOD_SDK_IMPLEMENTATION
#include "mod_sdk.h"

MOD_IDENTITY("swarm_vortex", "0.1.0")
MOD_IDENTITY_LINE("description: Turns the creatures around the mouse")
MOD_IDENTITY_LINE("game: swarm ^0.1")
MOD_IDENTITY_LINE("setting: strength float 1 0..5 How hard it turns")

/* All of these are packed as in the schemas below. */
typedef struct {
    float x, y;
} vec2;

typedef struct {
    vec2 at;
    uint8_t is_there, is_down;
} __attribute__((packed)) pointer;

typedef struct {
    float x, y, z;
} place;

typedef struct {
    mod_duration delta;
} clock;

static const float REACH = 190; /* how far it is felt, in pixels */
static const float WAY = 0.23f; /* how fast it wanders, in radians per second */

/* Where it wanders: two hands of a clock, turned a little in each frame, because there is no sine here. */
static vec2 hands[2] = {{1, 0}, {0, 1}};

static void turn(vec2 *hand, float angle) {
    vec2 old = *hand;
    hand->x = old.x - angle * old.y;
    hand->y = old.y + angle * old.x;
    /* One step of Newton's keeps its length at 1. */
    float longer = (3 - (hand->x * hand->x + hand->y * hand->y)) / 2;
    hand->x *= longer;
    hand->y *= longer;
}

static void stir(mod_batch *batch) {
    mod_block creatures = mod_block_of(batch, 0);
    const place *places = MOD_COLUMN(creatures, 0, place);
    vec2 *velocities = MOD_COLUMN(creatures, 1, vec2);
    const pointer *mouse = MOD_COLUMN(mod_block_of(batch, 1), 0, pointer);
    const vec2 *half = MOD_COLUMN(mod_block_of(batch, 2), 0, vec2);
    const clock *time = MOD_COLUMN(mod_block_of(batch, 3), 0, clock);
    float strength = *MOD_COLUMN(mod_block_of(batch, 4), 0, float);

    float seconds = (float)time->delta.nanoseconds / 1e9f;
    if (time->delta.seconds || seconds > 0.05f) seconds = 0.05f;
    turn(&hands[0], WAY * seconds);
    turn(&hands[1], -WAY * 1.7f * seconds);
    vec2 eye = {hands[0].x * half->x * 0.55f, hands[1].y * half->y * 0.5f};
    if (mouse->is_there) eye = mouse->at;
    bool pulls = mouse->is_there && mouse->is_down;

    for (uint32_t row = 0; row < creatures.rows; row++) {
        float x = places[row].x - eye.x, y = places[row].y - eye.y;
        float square = x * x + y * y;
        if (square >= REACH * REACH || square < 1) continue;
        /* Strongest in the middle of its reach, nothing at its edge. */
        float near = 1 - square / (REACH * REACH);
        float force = near * 9 * strength * seconds;
        if (pulls) {
            velocities[row].x -= x * force;
            velocities[row].y -= y * force;
        } else {
            velocities[row].x += (-y - x * 0.35f) * force * 0.6f;
            velocities[row].y += (x - y * 0.35f) * force * 0.6f;
        }
        mod_mark(creatures, 1, row);
    }
}

MOD_MAIN(app) {
    uint32_t transform = mod_type(app, "Transform", "{translation:{x:f32,y:f32,z:f32}}", MOD_PART);
    uint32_t velocity = mod_type(app, "swarm::Velocity", "({x:f32,y:f32})", MOD_MIRROR);
    uint32_t danger = mod_type(app, "swarm::Danger", "{reach:f32}", MOD_MIRROR);
    uint32_t mouse = mod_type(app, "swarm::Pointer", "{at:{x:f32,y:f32},is_there:bool,is_down:bool}", MOD_MIRROR);
    uint32_t arena = mod_type(app, "swarm::Arena", "{half:{x:f32,y:f32}}", MOD_PART);
    uint32_t time = mod_type(app, "bevy_time::time::Time<()>", "{delta:duration}", MOD_PART);
    uint32_t settings = mod_define(app, "swarm_vortex::Settings", "{strength:f32}", MOD_SETTINGS);

    mod_system(app, "stir", "Update", stir);
    mod_query(app);
    mod_term(app, MOD_READ, transform);
    mod_term(app, MOD_WRITE, velocity);
    mod_filter(app, MOD_WITHOUT, danger);
    mod_resource(app, mouse, false);
    mod_resource(app, arena, false);
    mod_resource(app, time, false);
    mod_resource(app, settings, false);
    mod_before(app, "swarm_flock::swim"); /* which moves them */
}
