-- The operator has carried out what the object says now; what failed is tried again by the operator.
local health = {status = "Progressing", message = ""}
local status = obj.status or {}
health.message = status.message or ""
if status.applied == true and status.observedGeneration == obj.metadata.generation then
  health.status = "Healthy"
end
return health
