"""The pages that people see: rendered without JavaScript, under a policy that blocks scripts."""
