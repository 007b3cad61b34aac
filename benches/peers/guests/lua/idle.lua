-- A function that does nothing.
function on_update()
end
