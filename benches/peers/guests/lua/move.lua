-- Reads `Velocity` and updates `Transform`. Numbers are written one by one: arithmetic on vectors tries overloads in turn.
local DT = 1 / 64
local transform, velocity

function on_update()
    transform = transform or world.get_type_by_name("Transform")
    velocity = velocity or world.get_type_by_name("Velocity")
    for _, row in pairs(world.query():component(transform):component(velocity):build()) do
        local components = row:components()
        local place, speed = components[1].translation, components[2]
        place.x = place.x + speed.x * DT
        place.y = place.y + speed.y * DT
        place.z = place.z + speed.z * DT
    end
end
