"""What tests share: servers, emulators, terminals, inputs."""
