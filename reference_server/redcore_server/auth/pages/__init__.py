"""The pages that people see: rendered here, without JavaScript, under a policy that would not run any."""
