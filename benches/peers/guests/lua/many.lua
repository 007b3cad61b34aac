-- One small system, of a mod that is one of many.
local counter

function on_update()
    counter = counter or world.get_type_by_name("Counter")
    for _, row in pairs(world.query():component(counter):build()) do
        local found = row:components()[1]
        found.value = found.value + 1
    end
end
