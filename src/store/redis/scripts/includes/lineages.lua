-- The first id of a session that was rotated is kept in its hash. A pointer beside it leads to the
-- present id, and lives as long as the session. No token leads over a pointer: it is for names that
-- pages show.

local function delete_pointer(found)
  if found.lineage then
    redis.call('DEL', derive_pointer_key(found.lineage))
  end
end

local function write_pointer(id, found, deadline)
  if deadline < now then
    delete_pointer(found) -- SET raises for a moment that is not after 1970
  elseif found.lineage then
    redis.call('SET', derive_pointer_key(found.lineage), id, 'PXAT', format_int(deadline))
  end
end
