-- A session that was rotated keeps its first id in its hash. A pointer leads from there to the
-- current id, and lives as long as the session. It is for names that pages show: no token follows
-- it.

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
