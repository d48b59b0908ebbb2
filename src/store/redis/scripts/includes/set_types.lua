-- A set's key may hold something else, such as a value of another program. A script that ends
-- sessions, or changes those of a set, asks each set that it will write, so that a wrong type stops
-- it before its first write.

local function check_types(id, names)
  for _, name in ipairs(names) do
    redis.call('ZSCORE', derive_set_key(name), id)
    if derive_plain_key(name) then
      redis.call('SISMEMBER', derive_plain_key(name), id)
    end
  end
end
