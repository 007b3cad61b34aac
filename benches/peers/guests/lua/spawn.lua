-- Despawns what it spawned in the last frame, and spawns a thousand.
local spark

function on_update()
    spark = spark or world.get_type_by_name("Spark")
    for _, row in pairs(world.query():component(spark):build()) do
        world.despawn(row:entity())
    end
    for value = 0, 999 do
        world.insert_component(world.spawn(), spark, construct(spark, { value = value }))
    end
end
