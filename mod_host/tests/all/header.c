/* Uses every part of mod_sdk.h, for `c.rs`. */
#define MOD_SDK_IMPLEMENTATION
#include "mod_sdk.h"

MOD_IDENTITY("header", "1.2.3")
MOD_IDENTITY_LINE("author: Ada")
MOD_IDENTITY_LINE("setting: greeting text \\\"Hello, you\\\" - What the beekeeper says")

MOD_IDENTITY_LINE("optional: bees")

MOD_IMPORT(play_sound, "(str,f32)->bool")
MOD_IMPORT_OF("bees", honey, "(u32)->str")

/* Everything comes back as it went in. */
MOD_EXPORT(echo, "(bool,u8,u16,u32,u64,i32,i64,f32,f64,str,[f64])->_") {
    mod_put_bool(out, mod_get_bool(in));
    mod_put_u8(out, mod_get_u8(in));
    mod_put_u16(out, mod_get_u16(in));
    mod_put_u32(out, mod_get_u32(in));
    mod_put_u64(out, mod_get_u64(in));
    mod_put_i32(out, mod_get_i32(in));
    mod_put_i64(out, mod_get_i64(in));
    mod_put_f32(out, mod_get_f32(in));
    mod_put_f64(out, mod_get_f64(in));
    mod_text text = mod_get_text(in);
    mod_put_text(out, text.start, text.len);
    uint32_t items = mod_get_list(in);
    mod_put_list(out, items);
    for (uint32_t i = 0; i < items; i++) mod_put_f64(out, mod_get_f64(in));
}

MOD_EXPORT(nothing, "()->()") {}

MOD_EXPORT(play, "(str)->bool") {
    mod_text name = mod_get_text(in);
    mod_writer arguments = {0};
    mod_put_text(&arguments, name.start, name.len);
    mod_put_f32(&arguments, 0.5f);
    mod_reader answer = play_sound(&arguments);
    mod_put_bool(out, mod_get_bool(&answer));
    mod_read_end(&answer);
}

/* The status, and what is behind it as a text. */
MOD_EXPORT(breakfast, "(u32)->(u32,str)") {
    mod_writer arguments = {0};
    mod_put_u32(&arguments, mod_get_u32(in));
    uint32_t status;
    mod_reader answer = honey(&arguments, &status);
    mod_text text = status == MOD_ANSWERED ? mod_get_text(&answer) : mod_get_rest(&answer);
    mod_put_u32(out, status);
    mod_put_text(out, text.start, text.len);
    mod_read_end(&answer);
}

MOD_EXPORT(say, "()->()") {
    mod_log(MOD_WARN, "%s %d %u %f %f 100%%", "text", -12, 34u, -1.25, 2.0);
}

MOD_EXPORT(draw, "(u32)->[u8]") {
    uint32_t len = mod_get_u32(in);
    void *bytes = mod_alloc(len);
    mod_random(bytes, len);
    mod_put_list(out, len);
    mod_put_bytes(out, bytes, len);
    mod_free(bytes);
}

/* Raises the health of those below 100 who have a name, changes the name, and leaves a message for each. */
static void heal(mod_batch *batch) {
    mod_block patients = mod_block_of(batch, 0);
    float *health = MOD_COLUMN(patients, 0, float);
    static mod_writer names;
    names.len = 0;
    for (uint32_t row = 0; row < patients.rows; row++) {
        if (health[row] >= 100 || !mod_is_present(patients, 1, row)) continue;
        health[row] += 1;
        mod_mark(patients, 0, row);
        mod_reader before = mod_row(patients, 1, row);
        mod_text name = mod_get_text(&before);
        mod_read_end(&before);
        mod_put_u64(&names, (uint64_t)name.len + 1);
        mod_put_bytes(&names, name.start, name.len);
        mod_put_bytes(&names, "!", 1);
        mod_mark(patients, 1, row);
        mod_put_u32(batch->commands, 6); /* WriteMessage */
        mod_put_u32(batch->commands, 3);
        mod_put_text(batch->commands, "", 0);
    }
    mod_replace_rows(patients, 1, &names);
}

static void wrong_size(mod_batch *batch) {
    double *health = MOD_COLUMN(mod_block_of(batch, 0), 0, double);
    mod_log(MOD_INFO, "%f", *health);
}

static void on_pain(mod_batch *batch) { mod_mark(mod_block_of(batch, 0), 0, 0); }

MOD_MAIN(app) {
    uint32_t health = mod_type(app, "game::Health", "{value:f32}", MOD_MIRROR);
    uint32_t name = mod_type(app, "Name", "str", MOD_PART);
    uint32_t clock = mod_type(app, "Clock", "{delta:duration}", MOD_MIRROR);
    uint32_t healed = mod_define(app, "header::Healed", "{}", MOD_MESSAGE);
    uint32_t pain = mod_define(app, "header::Pain", "{}", MOD_EVENT);

    mod_system(app, "heal", "Update", heal);
    mod_query(app);
    mod_term(app, MOD_WRITE, health);
    mod_term(app, MOD_WRITE_OPTIONAL, name);
    mod_term(app, MOD_ENTITY, 0);
    mod_filter(app, MOD_WITHOUT, clock);
    mod_resource(app, clock, true);
    mod_optional_resource(app, clock, false);
    mod_param(app, MOD_MESSAGE_WRITER, healed);
    mod_param(app, MOD_COMMANDS, 0);
    mod_after(app, "wind::blow");
    mod_before(app, "rain::fall");

    mod_observer(app, "on_pain", MOD_ON_EVENT, pain, on_pain);
    mod_param(app, MOD_EVENT_DATA, 0);

    mod_system(app, "wrong_size", "Last", wrong_size);
    mod_query(app);
    mod_term(app, MOD_READ, health);
}
