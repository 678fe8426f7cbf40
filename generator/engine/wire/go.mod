module tenantry.io/wire

go 1.26.0
