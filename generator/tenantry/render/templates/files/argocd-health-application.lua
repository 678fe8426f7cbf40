-- A later sync wave waits for the cells that it stands on, and for no other Application.
local health = {status = "Healthy", message = ""}
if (obj.metadata.labels or {})["tenantry.io/tenant"] ~= nil then
  health.message = "not waited for: its windows and faults hold up its own tenant only"
  return health
end
if obj.spec.destination.namespace == obj.metadata.namespace then
  health.message = "not waited for: it delivers itself"
  return health
end
local status = obj.status or {}
local state = status.operationState or {}
local own = status.health or {}
health.message = own.message or state.message or ""
if obj.operation ~= nil or state.phase == "Running" then
  health.status = "Progressing"
elseif own.status == "Degraded" or state.phase == "Failed" or state.phase == "Error" then
  health.status = "Degraded"
elseif own.status ~= "Healthy" or (status.sync or {}).status ~= "Synced" then
  health.status = "Progressing"
end
return health
