BEGIN TRANSACTION;
CREATE TABLE blobs (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT,
        PRIMARY KEY (epoch, key));
INSERT INTO "blobs" VALUES(1,'F769A7453463FA809675AAB22B19C497302AE4D035EAB07A533A6A54FB4C733B','image/png',1712,'68e69e96f60fca6c71856651ab5516ce',3373598520000000,'civitai-1',NULL,NULL);
INSERT INTO "blobs" VALUES(1,'380AAB678F69C85062632E3DB0A6EE0E1BECF0F630B193310C70DED145E3B6C6','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"2beba04c-8a45-4641-a212-c60bdfd232e2","node":"SaveImage","index":1,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES(1,'B2B5804F7952EFA449C4C9EA3593F32DE5C1050DEFB5B8A6A3FC7037519775C1','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"709973f7-9644-422b-b776-4379fdc9a1e1","node":"SaveImage","index":0,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES(1,'f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg','image/jpeg',0,'',3376190523000000,'civitai-1','{"painter":1,"job":"f172e0a0-1a45-526b-99ac-0ce48d75e717","node":"SaveImage","index":0,"content":"blank","file":{"format":"jpeg","quality":85,"is_lossless":false,"has_metadata":true,"note":null}}','{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}');
CREATE TABLE counters (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (epoch, key)) WITHOUT ROWID
    ;
CREATE TABLE ended_epochs (number INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0, moved_by TEXT, polls INTEGER NOT NULL DEFAULT 0,
        callback_attempts TEXT, UNIQUE (epoch, id));
INSERT INTO "jobs" VALUES(1,1,'2beba04c-8a45-4641-a212-c60bdfd232e2','TextToImageV2','civitai-1','81477a53-a3c2-465a-9e3d-240c1fabacad',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'d13cc5d4-68e1-431f-8bf4-816af3f8c530',0,NULL,NULL,NULL,-1,0,NULL,0,NULL);
INSERT INTO "jobs" VALUES(2,1,'709973f7-9644-422b-b776-4379fdc9a1e1','Comfy','civitai-1','64e767c1-bf30-42e5-add4-28a2ff27413e',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"SaveImage_0.png"]]',4,3373512121000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'665a5af3-d5a6-40b9-96a0-be6746f72e8f',0,NULL,NULL,NULL,-1,0,NULL,0,NULL);
INSERT INTO "jobs" VALUES(3,1,'70eab010-d9df-4fff-ad93-68caae4c917d','WDTagging','civitai-1','4b431dc7-8775-496a-9b60-7786465f8c2e',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0,NULL,0,NULL);
INSERT INTO "jobs" VALUES(4,1,'f172e0a0-1a45-526b-99ac-0ce48d75e717','TextToImageV2','civitai-1','f40a0527-0a28-5f9f-953b-974046aac3f4',2.56000000000000049737e+00,0,-10,3373512123000000,3373598523000000,3376190523000000,'[["f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg",7,true,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}]]',4,3373512123000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'781a9c70-6586-4758-87cb-5dfb583ef1ad',0,NULL,NULL,NULL,-1,0,NULL,0,NULL);
INSERT INTO "jobs" VALUES(5,1,'77ea3f2a-59e1-4020-b43a-a9ca841b30f9','TextToImageV2','civitai-1','d09d692f-829b-4a38-a4f7-a22b0657bd7b',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,3373512124000000,-1,0,NULL,0,NULL);
INSERT INTO "jobs" VALUES(6,1,'eef2d4fa-34d3-434b-8dec-1724ce494e0d','TextToImageV2','civitai-1','f94a2b87-289b-44f0-b4ec-3158b4be4667',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL);
INSERT INTO "jobs" VALUES(7,1,'bf71c829-ee8d-47a2-9105-1668f3ed6020','TextToImageV2','civitai-1','f94a2b87-289b-44f0-b4ec-3158b4be4667',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0,NULL,0,NULL);
INSERT INTO "jobs" VALUES(8,1,'dfd0082b-e5ab-458d-a23b-10c65cd96655','TextToImageV2','civitai-1','8c04f3a9-7b28-444b-9e61-2f42afc19d4c',0.002,1,0,3373512125000000,3373598525000000,3373598525000000,'[[null,7,false]]',1,3373512125000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL);
INSERT INTO "jobs" VALUES(9,1,'d0dff223-d73d-51f9-9063-b750c77656da','TextToImageV2','civitai-1','42b07c8c-e08c-5d1d-9d35-d2aa55decc9e',2.56000000000000049737e+00,0,-10,3373512126000000,3373598526000000,3376190526000000,'[["d0dff223-d73d-51f9-9063-b750c77656da-0.jpg",7,false,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"d0dff223-d73d-51f9-9063-b750c77656da","workflowId":"1-20761125064206000"}]]',0,3373512126000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL);
CREATE TABLE "jobs announcements" (
        workflow INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (workflow, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs announcements" VALUES(1,0,3373512123000000,'[0,"workflow","","unassigned"]');
INSERT INTO "jobs announcements" VALUES(1,1,3373512123000000,'[0,"step","$0","unassigned"]');
INSERT INTO "jobs announcements" VALUES(1,2,3373512123000000,'[0,"workflow","","processing"]');
INSERT INTO "jobs announcements" VALUES(1,3,3373512123000000,'[0,"step","$0","processing"]');
INSERT INTO "jobs announcements" VALUES(1,4,3373512123000000,'[0,"step","$0","succeeded"]');
INSERT INTO "jobs announcements" VALUES(1,5,3373512123000000,'[0,"workflow","","succeeded"]');
CREATE TABLE "jobs deliveries" (
        workflow INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, last INTEGER NOT NULL, due_at INTEGER,
        told INTEGER NOT NULL DEFAULT -1, failures INTEGER NOT NULL DEFAULT 0, attempts TEXT);
INSERT INTO "jobs deliveries" VALUES(1,1,5,3373512123594699,-1,1,'[[0,3373512123000000,null,"connection refused: nothing listens at this port"]]');
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, position INTEGER,
        PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,0,X'',1795722422880823);
INSERT INTO "jobs jobEvent" VALUES(1,4,X'C3DE643500361B4010ADE9909C6A946C646E669862649048595395480B286E9B54809A3264B450750DF136510789F349695BA5181A27279BA698E89A59A41AEA9A181BA6E95A24A599E85A189A25A619A759249B1A1BA0B7BF7035BF70367380C1066AE7E06E9C1215704A0606BA1626C9264969E61646C9A6A696E6C0A49D966A686A9C68081235B04C4CD13533314D4A3249B104F67D530D8C934C740D0C80C9990ACD593C4906D480A37D058FDCB0333034303505D5F106E88D3B5AD7F16626C0C2025EC583792835BC11A1AA95A28A3551212D1F58ECA1D4AE041B7554ADDA131552F2817521692E18C03A1D5467C3AA72506451B5264709FAD1DA9B8CDADB28293529D1C02459D722D1C454D7C4CCC45037D1C8D04837D9CC2029252DC5C8D8083404464AED0D544BADCE242CAF61E92D8286C3307B8B2051A21B7AE4B48F115D7C62C60DA859B7210D2D80BAFAA0A105333343339830480CFF4802BD061B08D5904AB5C0DAB0B438B5C813E80573E03845623A70C0225AA94229B61600',1795722422937546);
INSERT INTO "jobs jobEvent" VALUES(2,0,X'',1795722422941624);
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C3DE643500361B4010ADE9909C6A946C646E669862649048595395480B08B74DC0D5AD1259AD505D43BCCD503A3A91943692999969A269629AB16E8A69A299AE894192A5AEA559A2816E52AA99B989599AB951AA451A463B8AD42626306840ED15DC8D4CA20247C9C040D728095849A5195B2459261B9959241B9A189A1BA4991959585AA65924A725A5EA9A2519A61A9B1B1825279A98A499999AEA1A1800932531CD52FC510F6A6C8D88CAD8CC0498ABE175319847C7AA38512107D40AC8C82F2D4E55C80736A2151215802DB4A2DC4A85E2D44485C412853C90BC8E427E668E424122B0D804F7A951AB4DCC261FB6729DAA3577524E695151A58E424E7EB94221B0BF9D5952499EAB867F358ED2981EADBAC9A8BA932D12CD0D808373BAA9498686BA26E649C6BA89E68996BAC9C6E616E6C966A6C986A9A6A455DDC0FC43AD9E24A85FA98FDCADB03032B0B4D007F62A4CD1BA15E0C6E2687F12A3318F188F206690839A1538D23808685C02310E0219850089E11FF6A0D7C808A16680522D57752D00',1795722422951948);
INSERT INTO "jobs jobEvent" VALUES(3,0,X'',1795722422955414);
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE9909C6A946C646E669862649048595395480B08B74DCA5D4212D3D381ED7448970D67A392261682EA74DC0D31A2AC543230D0B5343734B4304D4A344F354E314E4B4C4C4B364A4E32324C4A3334B1B4303732D335310446715A6A4A5A6A92419AA1719AAE810130EA8869BA218207A5A142C846A55AAEEA5A00',1795722422956949);
INSERT INTO "jobs jobEvent" VALUES(4,0,X'',1795722423266432);
INSERT INTO "jobs jobEvent" VALUES(4,4,X'C3DE643500361B4010ADE9909C6A946C646E669862649048595395480B286E9B54809A3264B450750DF136510789F349695B995B18265A269B1BE89A995A98E99A989B5AE85A982727E99AA6A425995A18A7A6192662344D8D486D9A02830DD4CEC1DD38252AE0940C0C748D534DCC92CD4D0D0DCC130D53128D4D932C4C939213530C2D8D0DD2CCCC4D4D750D8D8C2C2D815E493549344F4B4C36D435300026672A3467F1241950038EF6153C72C3CEC0D0C0D41454C71BA037EE685DC71B1A1899008B0B78250FE5D3B1964F5448CB07167DE4D7B0C3B2AA27AA820755E0A3F5FAD0A8D7D30CCD8D520D120D740D134D4C754D8DCC92742D2D1393750D92534D2C52CC4D53CD0DCD49ADD707AA62C0D22F373333341BE87E39A1CA44A996ABBA1600',1795722423288202);
INSERT INTO "jobs jobEvent" VALUES(5,0,X'',1795722423375480);
INSERT INTO "jobs jobEvent" VALUES(6,0,X'',1795722423377865);
INSERT INTO "jobs jobEvent" VALUES(7,0,X'',1795722423377900);
INSERT INTO "jobs jobEvent" VALUES(8,0,X'',1795722423379233);
INSERT INTO "jobs jobEvent" VALUES(8,1,X'8B06D54B2EA939C0C203D494080C750D0535250D80105C7B4329484D6E60A09B6C62926C686A6961699996669966929264996A649A68986A9E986290646464A09B9A9C6C929C6A699098620EEC9724A7E91A1800ADA9AE052200',1795722423381066);
INSERT INTO "jobs jobEvent" VALUES(9,0,X'',1795722423391439);
CREATE TABLE "jobs leaves" (
        epoch INTEGER NOT NULL, leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL,
        job TEXT NOT NULL, PRIMARY KEY (epoch, leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES(1,'03517b531670bfdaabdc65f7eeed1317',3373512120000000,'81477a53-a3c2-465a-9e3d-240c1fabacad','2beba04c-8a45-4641-a212-c60bdfd232e2');
INSERT INTO "jobs leaves" VALUES(1,'15a8ce87375302c4cb9de8a869247ddf',3373512120000000,'81477a53-a3c2-465a-9e3d-240c1fabacad','2beba04c-8a45-4641-a212-c60bdfd232e2');
CREATE TABLE "jobs places" (
        workflow INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (workflow, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs places" VALUES(1,4);
INSERT INTO "jobs places" VALUES(2,9);
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-84c4bf782c5597bcdfe153a1c4bf09ad-645bb4d9869e03b4-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7,"tags":["x"]},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-2b384f38b9c268c14170f62899f8cfbe-6b1e3702ca44f655-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"CheckpointLoaderSimple":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd1/civitai/4384/128713.safetensors"},"_meta":{}},"EmptyLatentImage":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1},"_meta":{}},"CLIPTextEncode":{"class_type":"CLIPTextEncode","inputs":{"text":"a lighthouse over a stormy sea at night, oil painting","clip":["CLIPSetLastLayer",0]},"_meta":{}},"CLIPTextEncode_1":{"class_type":"CLIPTextEncode","inputs":{"text":"blurry, low quality","clip":["CLIPSetLastLayer",0]},"_meta":{}},"KSampler":{"class_type":"KSampler","inputs":{"sampler_name":"euler_ancestral","scheduler":"normal","seed":1234567890,"steps":20,"cfg":7,"denoise":1,"latent_image":["EmptyLatentImage",0],"model":["LoraLoader",0],"positive":["CLIPTextEncode",0],"negative":["CLIPTextEncode_1",0]},"_meta":{}},"VAEDecode":{"class_type":"VAEDecode","inputs":{"samples":["KSampler",0],"vae":["CheckpointLoaderSimple",2]},"_meta":{}},"SaveImage":{"class_type":"SaveImage","inputs":{"filename_prefix":"c8a70639-eb11-47b3-a7a9-c3787c65c1e5","images":["VAEDecode",0]},"_meta":{}},"LoraLoader":{"class_type":"LoraLoader","inputs":{"lora_name":"lora/sd1/civitai/82098/87153.safetensors","strength_model":0.8,"strength_clip":0.8,"model":["CheckpointLoaderSimple",0],"clip":["CheckpointLoaderSimple",1]},"_meta":{}},"CLIPSetLastLayer":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["LoraLoader",1]},"_meta":{}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-971185ba7e3d3faafc2cb21bf1498726-41456fedfeb0f13f-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-3e46c75107a1da35b85bcad1930f6755-12299586e4a7fac1-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064203000",0,0,0]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-f85ffc28154eb0bacbaa490f0dbbfa0b-949a08ddc9f01ecc-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook?jobId=1"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-920889a5f18a78f46793d921d1b12b29-18889af26f017daf-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-920889a5f18a78f46793d921d1b12b29-18889af26f017daf-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["eef2d4fa-34d3-434b-8dec-1724ce494e0d"]}');
INSERT INTO "jobs requests" VALUES(8,'{"trace_id":"00-c44c159899ff9f4db9e25a1e7ad0b220-ecc4ce90ad7186cf-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(9,'{"trace_id":"00-fad15f09eb075e7b77714367be78e65f-07c72bd19470e36f-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064206000",0,0,0]}');
CREATE TABLE "jobs tags" (
        epoch INTEGER NOT NULL, owner TEXT NOT NULL, tag TEXT NOT NULL, born INTEGER NOT NULL,
        workflow TEXT NOT NULL, PRIMARY KEY (epoch, owner, tag, born, workflow)) WITHOUT ROWID
    ;
INSERT INTO "jobs tags" VALUES(1,'civitai-1','a',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES(1,'civitai-1','b',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES(1,'civitai-1','b',3373512126000000,'1-20761125064206000');
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE "jobs workflows" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, external_id TEXT,
        created_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, version INTEGER NOT NULL,
        is_over INTEGER NOT NULL, is_listed INTEGER NOT NULL, has_failed INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
        blue INTEGER NOT NULL, green INTEGER NOT NULL, yellow INTEGER NOT NULL, fake_red INTEGER NOT NULL,
        search TEXT, body TEXT NOT NULL, UNIQUE (epoch, id));
INSERT INTO "jobs workflows" VALUES(1,1,'1-20761125064203000','civitai-1','one',3373512123000000,3376104123000000,3,1,1,0,0,8,0,0,0,'who
a fox','{"id":"1-20761125064203000","owner":"civitai-1","trace_id":"00-3e46c75107a1da35b85bcad1930f6755-12299586e4a7fac1-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:03+00:00","keep_until":"2076-12-25T06:42:03+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":4015165502,"jobs":["f172e0a0-1a45-526b-99ac-0ce48d75e717"],"ready_at":"2076-11-25T06:42:03+00:00"}],"callbacks":[["http://127.0.0.1:9/hook?workflow=1",["workflow:*","step:*"],false]],"external_id":"one","tags":["a","b"],"metadata":{"who":"a fox"},"allow_mature_content":false,"transactions":[["debit",8,"blue","3bd4e4d4-f358-5997-8be8-9e1d7baa093f"]],"memo":["succeeded","2076-11-25T06:42:03+00:00","2076-11-25T06:42:03+00:00","pg",[]]}');
INSERT INTO "jobs workflows" VALUES(2,1,'1-20761125064206000','civitai-1','two',3373512126000000,3376104126000000,2,0,1,0,0,8,0,0,0,NULL,'{"id":"1-20761125064206000","owner":"civitai-1","trace_id":"00-fad15f09eb075e7b77714367be78e65f-07c72bd19470e36f-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:06+00:00","keep_until":"2076-12-25T06:42:06+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":3957750617,"jobs":["d0dff223-d73d-51f9-9063-b750c77656da"],"ready_at":"2076-11-25T06:42:06+00:00"}],"external_id":"two","tags":["b"],"allow_mature_content":false,"transactions":[["debit",8,"blue","b7c05d46-c694-5cef-b462-ce94063d1c66"]]}');
CREATE TABLE leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID
    ;
CREATE TABLE namespaces (
        name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, changed INTEGER NOT NULL, used_at INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID
    ;
INSERT INTO "namespaces" VALUES('',0,0,0,0,'{}');
INSERT INTO "namespaces" VALUES('default',1,0,0,0,'{}');
CREATE TABLE processes (
        id TEXT PRIMARY KEY, revision INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID
    ;
CREATE TABLE "resources" (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        identity TEXT NOT NULL, search TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (epoch, key));
INSERT INTO "resources" VALUES(0,'urn:air:sd1:checkpoint:civitai:4384@128713','civitai','128713','4384','@civitai/128713','urn:air:sd1:checkpoint:civitai:4384@128713
dreamshaper
dreamshaper
8
base model
art style','{"air":{"source":"civitai","id":"4384","ecosystem":"sd1","type":"checkpoint","version":"128713","format":null},"fields":{"size":2132625894,"hashes":{"AutoV2":"879DB523C3","SHA256":"879DB523C30D3B9017143D56705015E15A2CB5628762C11D086FED9538ABD7FD"},"downloadUrls":["https://civitai.com/api/download/models/128713"],"modelName":"DreamShaper","resourceName":"DreamShaper","versionName":"8","tags":["base model","art style"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:checkpoint:civitai:4201@130072','civitai','130072','4201','@civitai/130072','urn:air:sd1:checkpoint:civitai:4201@130072
realistic vision v6.0 b1
realistic vision v6.0 b1
v5.1 (vae)
base model
photorealistic','{"air":{"source":"civitai","id":"4201","ecosystem":"sd1","type":"checkpoint","version":"130072","format":null},"fields":{"size":0,"hashes":{"AutoV2":"15012C538F"},"downloadUrls":["https://civitai.com/api/download/models/130072"],"modelName":"Realistic Vision V6.0 B1","resourceName":"Realistic Vision V6.0 B1","versionName":"V5.1 (VAE)","tags":["base model","photorealistic"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:lora:civitai:82098@87153','civitai','87153','82098','@civitai/87153','urn:air:sd1:lora:civitai:82098@87153
add more details - detail enhancer / tweaker (细节调整) lora
add more details - detail enhancer / tweaker (细节调整) lora
v1.0
detail','{"air":{"source":"civitai","id":"82098","ecosystem":"sd1","type":"lora","version":"87153","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/87153"],"modelName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","resourceName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:embedding:civitai:7808@9208','civitai','9208','7808','@civitai/9208','urn:air:sd1:embedding:civitai:7808@9208
easynegative
easynegative
easynegative
negative','{"air":{"source":"civitai","id":"7808","ecosystem":"sd1","type":"embedding","version":"9208","format":null},"fields":{"size":0,"hashes":{"AutoV2":"C74B4E810B","SHA256":"C74B4E810B030F6B75FDE959E2DB678C268D07115B85356D3C0138BA5EB42340"},"downloadUrls":["https://civitai.com/api/download/models/9208"],"modelName":"EasyNegative","resourceName":"EasyNegative","versionName":"EasyNegative","trainedWords":["easynegative"],"tags":["negative"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:vae:civitai:276082@311162','civitai','311162','276082','@civitai/311162','urn:air:sd1:vae:civitai:276082@311162
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840k
vae','{"air":{"source":"civitai","id":"276082","ecosystem":"sd1","type":"vae","version":"311162","format":null},"fields":{"size":334641190,"hashes":{"AutoV2":"735E4C3A44","SHA256":"735E4C3A447A3255760D7F86845F09F937809BAA529C17370D83E4C3758F3C75"},"downloadUrls":["https://civitai.com/api/download/models/311162"],"modelName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","resourceName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","versionName":"vae-ft-mse-840k","tags":["vae"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sdxl:checkpoint:civitai:101055@128078','civitai','128078','101055','@civitai/128078','urn:air:sdxl:checkpoint:civitai:101055@128078
sd xl
sd xl
v1.0 vae fix','{"air":{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"fields":{"size":6938078208,"hashes":{"AutoV1":"BE9EDD61","CRC32":"9B4D991F","AutoV2":"E6BB9EA85B","BLAKE3":"D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95","SHA256":"E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"},"downloadUrls":["https://civitai.com/api/download/models/128078"],"modelName":"SD XL","resourceName":"SD XL","versionName":"v1.0 VAE fix","checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.7,"isFeatured":false,"publishedAt":"2023-07-29T15:09:06.388Z","hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sdxl:lora:civitai:122359@135867','civitai','135867','122359','@civitai/135867','urn:air:sdxl:lora:civitai:122359@135867
detail tweaker xl
detail tweaker xl
v1.0
detail','{"air":{"source":"civitai","id":"122359","ecosystem":"sdxl","type":"lora","version":"135867","format":null},"fields":{"size":0,"hashes":{"AutoV2":"0D9BD1B873","SHA256":"0D9BD1B873A7863E128B4672E3E245838858F71469A3CEC58123C16C06F83BD7"},"downloadUrls":["https://civitai.com/api/download/models/135867"],"modelName":"Detail Tweaker XL","resourceName":"Detail Tweaker XL","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:pony:checkpoint:civitai:257749@290640','civitai','290640','257749','@civitai/290640','urn:air:pony:checkpoint:civitai:257749@290640
pony diffusion v6 xl
pony diffusion v6 xl
v6 (start with this one)
base model','{"air":{"source":"civitai","id":"257749","ecosystem":"pony","type":"checkpoint","version":"290640","format":null},"fields":{"size":6938041050,"hashes":{"AutoV2":"67AB2FD8EC","SHA256":"67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"},"downloadUrls":["https://civitai.com/api/download/models/290640"],"modelName":"Pony Diffusion V6 XL","resourceName":"Pony Diffusion V6 XL","versionName":"V6 (start with this one)","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:illustrious:checkpoint:civitai:795765@889818','civitai','889818','795765','@civitai/889818','urn:air:illustrious:checkpoint:civitai:795765@889818
illustrious-xl
illustrious-xl
v0.1
base model
anime','{"air":{"source":"civitai","id":"795765","ecosystem":"illustrious","type":"checkpoint","version":"889818","format":null},"fields":{"size":6938040760,"hashes":{"AutoV2":"3E15BA0038","SHA256":"3E15BA00387DB678AB4A099F75771C4F5AC67FDA9E7100A01D263EAF30145AA9"},"downloadUrls":["https://civitai.com/api/download/models/889818"],"modelName":"Illustrious-XL","resourceName":"Illustrious-XL","versionName":"v0.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:noobai:checkpoint:civitai:833294@1116447','civitai','1116447','833294','@civitai/1116447','urn:air:noobai:checkpoint:civitai:833294@1116447
noobai-xl (nai-xl)
noobai-xl (nai-xl)
epsilon-pred 1.1
base model
anime','{"air":{"source":"civitai","id":"833294","ecosystem":"noobai","type":"checkpoint","version":"1116447","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/1116447"],"modelName":"NoobAI-XL (NAI-XL)","resourceName":"NoobAI-XL (NAI-XL)","versionName":"Epsilon-pred 1.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:flux1:checkpoint:civitai:618692@691639','civitai','691639','618692','@civitai/691639','urn:air:flux1:checkpoint:civitai:618692@691639
flux
flux
dev
base model','{"air":{"source":"civitai","id":"618692","ecosystem":"flux1","type":"checkpoint","version":"691639","format":null},"fields":{"size":23802932552,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/691639"],"modelName":"FLUX","resourceName":"FLUX","versionName":"Dev","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:flux1:lora:civitai:233497@937698','civitai','937698','233497','@civitai/937698','urn:air:flux1:lora:civitai:233497@937698
frozen anna elsa -dall-e 3
frozen anna elsa -dall-e 3
flux_v1','{"air":{"source":"civitai","id":"233497","ecosystem":"flux1","type":"lora","version":"937698","format":null},"fields":{"size":306429952,"hashes":{"AutoV1":"C87E3019","AutoV2":"89D939E4D4","CRC32":"59CB7285","SHA256":"89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D","BLAKE3":"DCF1EA67915737E3B0F41EB3A66A10CC5C3C2E73579919AFCAF738A1C9903982","AutoV3":"3F34446EC06E"},"downloadUrls":["https://civitai.com/api/download/models/937698"],"modelName":"Frozen anna elsa -Dall-E 3","resourceName":"Frozen anna elsa -Dall-E 3","versionName":"Flux_V1","checkPermission":false,"canGenerate":true,"requiresAuthorization":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.9,"isFeatured":false,"publishedAt":"2024-10-09T11:54:46.826Z","hasNSFWContentRestriction":false}}');
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO "secrets" VALUES('blob-urls',X'0C3D8BD782964A1096F4B45BEC9DC7CF01B9BD8EE23E212F4E50103D1C73D8D0');
CREATE INDEX "jobs to claim" ON "jobs" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by IS NOT 'REQUESTS'
    ;
CREATE INDEX "jobs to claim by time" ON "jobs" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by = 'TIME'
    ;
CREATE INDEX "jobs by worker" ON "jobs" (epoch, worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by lease" ON "jobs" (epoch, lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by deadline" ON "jobs" (epoch, expire_at) WHERE outcome IS NULL;
CREATE INDEX "jobs that wait" ON "jobs" (epoch, id) WHERE waits = 1;
CREATE INDEX "jobs by age" ON "jobs" (epoch, created_at, submission_id, id, type);
CREATE INDEX "jobs by consumer" ON "jobs"
    (epoch, issued_by, created_at, submission_id, id, type)
    ;
CREATE INDEX "jobs by charge" ON "jobs" (epoch, issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    ;
CREATE INDEX "jobs by end" ON "jobs" (epoch, changed_at) WHERE outcome IS NOT NULL;
CREATE INDEX "jobs to tell of" ON "jobs" (epoch, callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    ;
CREATE INDEX "jobs to sweep" ON "jobs" (epoch, keep_until);
CREATE UNIQUE INDEX "jobs jobEvent by position" ON "jobs jobEvent" (position)
    WHERE position IS NOT NULL
    ;
CREATE UNIQUE INDEX "jobs workflows by external id" ON "jobs workflows"
    (epoch, owner, external_id) WHERE external_id IS NOT NULL
    ;
CREATE INDEX "jobs workflows by age" ON "jobs workflows"
    (epoch, owner, created_at, id, has_failed) WHERE is_listed = 1
    ;
CREATE INDEX "jobs workflows that run" ON "jobs workflows" (epoch, id)
    WHERE is_over = 0 AND is_deleted = 0
    ;
CREATE INDEX "jobs workflows by charge" ON "jobs workflows"
    (epoch, owner, blue, green, yellow, fake_red)
    ;
CREATE INDEX "jobs workflows to sweep" ON "jobs workflows" (epoch, keep_until);
CREATE INDEX "jobs to announce" ON "jobs deliveries" (epoch, due_at)
    WHERE due_at IS NOT NULL
    ;
CREATE INDEX "resources by version" ON "resources" (epoch, source, version, key);
CREATE INDEX "resources by model" ON "resources" (epoch, source, id, key);
CREATE INDEX "resources by identity" ON "resources" (epoch, identity);
CREATE INDEX [blobs to sweep] ON blobs (epoch, keep_until);
CREATE INDEX [namespaces by change] ON namespaces (changed);
CREATE INDEX [namespaces by use] ON namespaces (used_at) WHERE is_deleted = 0;
CREATE INDEX [namespaces that are deleted] ON namespaces (changed) WHERE is_deleted = 1;
CREATE INDEX [leases by end] ON leases (until);
COMMIT;
PRAGMA user_version = 11;
