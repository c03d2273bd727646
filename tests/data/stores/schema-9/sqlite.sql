BEGIN TRANSACTION;
CREATE TABLE blobs (
        key TEXT PRIMARY KEY, content_type TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT);
INSERT INTO "blobs" VALUES('90AC0055621D2F66B13699A12B6CF338CA8E7F44059180471CAAB63616C3AD3A','image/png',1712,'25801c4f64095efab4059760d6c626d9',3373598520000000,'civitai-1',NULL,NULL);
INSERT INTO "blobs" VALUES('AFB9BB9B40CF0F72E1712450C972075CB52593AFC2010EAAD44124201E714D9E','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"0c62c712-186b-4ebe-99f0-ae029abed069","node":"SaveImage","index":1,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES('6CE0C820C7317D6975BB6FDF48717E69FD5AE7F47AAEAB46E15ADBE95D279A65','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"915a0e4b-073c-4785-a84a-dd2e578653c7","node":"SaveImage","index":0,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES('f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg','image/jpeg',0,'',3376190523000000,'civitai-1','{"painter":1,"job":"f172e0a0-1a45-526b-99ac-0ce48d75e717","node":"SaveImage","index":0,"content":"blank","file":{"format":"jpeg","quality":85,"is_lossless":false,"has_metadata":true,"note":null}}','{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}');
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(1,'0c62c712-186b-4ebe-99f0-ae029abed069','TextToImageV2','civitai-1','944add3e-6e52-4be5-9df4-9517a9f76a76',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'bbdaf0e3-baf9-480f-8a81-068590829321',0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(2,'915a0e4b-073c-4785-a84a-dd2e578653c7','Comfy','civitai-1','7dacf602-4c14-49e3-ba18-d0cac15aa1ad',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"SaveImage_0.png"]]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'32117490-5790-46ba-b54c-d38ece9c8c83',0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(3,'ed008a8e-8b67-43e4-a0e0-a6261e89e737','WDTagging','civitai-1','d37a66a8-d0bf-4d16-baaf-ce1042173f22',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(4,'f172e0a0-1a45-526b-99ac-0ce48d75e717','TextToImageV2','civitai-1','f40a0527-0a28-5f9f-953b-974046aac3f4',2.56000000000000049737e+00,0,-10,3373512123000000,3373598523000000,3376190523000000,'[["f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg",7,true,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}]]',4,3373512123000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'af685f89-30a7-4cf7-b923-0449a1291845',0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(5,'a2dfd3ea-059c-45de-912d-ad211e586a45','TextToImageV2','civitai-1','4907b658-adc3-4687-bc25-1bdc52fbeda9',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,3373512124000000,-1,0);
INSERT INTO "jobs" VALUES(6,'ae3bc6e2-f9bd-4937-a8ce-cda6da9da928','TextToImageV2','civitai-1','f6a904fc-d9a4-4f71-a83a-f9e7e1549e98',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(7,'ccb69822-dbda-4179-8f1f-438476250c7d','TextToImageV2','civitai-1','f6a904fc-d9a4-4f71-a83a-f9e7e1549e98',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(8,'295f96d5-4223-4651-a376-f849a781d5b8','TextToImageV2','civitai-1','238eee4e-b05c-4a95-bd5d-0f2db4858ffe',0.002,1,0,3373512125000000,3373598525000000,3373598525000000,'[[null,7,false]]',1,3373512125000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(9,'d0dff223-d73d-51f9-9063-b750c77656da','TextToImageV2','civitai-1','42b07c8c-e08c-5d1d-9d35-d2aa55decc9e',2.56000000000000049737e+00,0,-10,3373512126000000,3373598526000000,3376190526000000,'[["d0dff223-d73d-51f9-9063-b750c77656da-0.jpg",7,false,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"d0dff223-d73d-51f9-9063-b750c77656da","workflowId":"1-20761125064206000"}]]',0,3373512126000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
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
        workflow INTEGER PRIMARY KEY, last INTEGER NOT NULL, due_at INTEGER,
        told INTEGER NOT NULL DEFAULT -1, failures INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs deliveries" VALUES(1,5,3373512123676774,-1,1);
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, position INTEGER,
        PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,0,X'',1795710279477016);
INSERT INTO "jobs jobEvent" VALUES(1,4,X'C3DE643500361B4010ADE990626C6E06B42AD53C352D99B2A62A911650DC36A9003565C868A1EA1AE26DA20E12E793D2B64A4A4A494C334835D64D4A4CB3D435B13048D3B548B430D43530B330B534B030B2343602652894F617AEE617CE660E30D840ED1CDC8D53A2024EC9C040D7DCC83039D532D13CC5C2C22C2DD1C0CCD028D5D824C9D43831D1D4D828D93C59D730D5CC24C93C39C9C2DC34D5C4DCD448D7C000989CA9D09CC59364400D38DA57F0C80D3B0343035353501D6F80DEB8A3751D6F66022C2CE0553C988752C31B11AA5A29AA581315D2F281C51E4AED4AB05147D5AA3D5121251F581792E68201ACD3417536AC2A074516556B7294A01FADBDC9A9BD93CD80C596A1912E70B00E587BA726A5EA5A5AA619E826A61A1801ABEED41403334BD26A6F601C53AB3309CB6B587A8BA0E130CCDE224894E8861E39ED6344179F9871036AD66D48430BA0AE3E6868C1CCCCD00C260C12C33F9240AFC1064235A4522DB0362C2D4E2DF2047AC11C384E91980E1CB08856AA508AAD0500',1795710279484778);
INSERT INTO "jobs jobEvent" VALUES(2,0,X'',1795710279493118);
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C3DE643500361B4010ADE990626C6E06B42AD53C352D99B2A62A9116106E9B80AB5B25B25AA1BA86789BA1747422296D246323434373134B035D53732061629694A89B646A92AC9B626C919A9C6A996C916C618CD18E22B589090C1A507B057723D3D0000C74D069024946C9C0403725C5D2CCC0222DD9D2C2DC3425D5CCCCC238D5D832C5C0D4DCD4C8C020C5C248D7C83429C910E80D038354E314CB544B5D0303604225A6A18A3F31809A5F23A27A363301E67378ED0CE6D1B1724E54C801B50B32F24B8B5315F281CD6A854405609BAD28B752A138355121B144210F24AFA3909F99A35090082C48C1BD6CD48A14B31188ADA4A76A5D9E94535A5454A9A390935FAE5008EC8167965492E7AAE15FB1A334AF472B73322AF3648B447303E0709D6E6A92A1A1AE897992B16EA279A2A56EB2B1B98579B29969B261AA2969953930FF50AB6F09EA69EA2377342C8C0C2C2DF481FD0C53B48E06B8F938DAC3C468DE2346288819F6A066958E3432021AA9408C8C40C6254062F80742683756026A2BA00C97106A0928D57255D70200',1795710279514754);
INSERT INTO "jobs jobEvent" VALUES(3,0,X'',1795710279509504);
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE990626C6E06B42AD53C352D99B2A62A9116106E9B94BB8424A6A703DBE9902E1BCE46254D2C04D5E9B81B624459A96460A06B99949A6A62616996969292669C989A9C646C6496080C69D3A4C434532323235D43C3D4A4540B1313F3D4D4440383A4245D030360D411D37443040F4A4385908D4AB55CD5B500',1795710279515984);
INSERT INTO "jobs jobEvent" VALUES(4,0,X'',1795710279966262);
INSERT INTO "jobs jobEvent" VALUES(4,4,X'C3DE643500361B4010ADE990626C6E06B42AD53C352D99B2A62A911650DC36A9003565C868A1EA1AE26DA20E12E793D2B64A4C33B3304DB3B0D43536483407269F3473DD244B23635D031313CB4443234B430B1353F4F69711A94D5360B081DA39B81BA744059C928181AE91A9455A62AAA9B9495A9A719AA199498A49A2A1796A92B1617272A2818149B26E52AAA185B9B18545AAB1519A69B2498AAE8101303953A1398B27C9801A70B4AFE0911B76068606A6A6A03ADE00BD7147EB3ADED0C0C804585CC02B79289F8EB57CA2425A3EB0E823BF861D96553D51153CA8021FADD78746BD9E66686E946A9068A06B986862AA6B6A6496A46B699998AC6B909C6A6291626E9A6A6E684E6ABD3E501503967EB99999A1D940F7CB0955264AB55CD5B500',1795710279990911);
INSERT INTO "jobs jobEvent" VALUES(5,0,X'',1795710280115095);
INSERT INTO "jobs jobEvent" VALUES(6,0,X'',1795710280117450);
INSERT INTO "jobs jobEvent" VALUES(7,0,X'',1795710280117483);
INSERT INTO "jobs jobEvent" VALUES(8,0,X'',1795710280122881);
INSERT INTO "jobs jobEvent" VALUES(8,1,X'8B06D54B2EA939C0C203D494080C750D0535250D80105C7B4329484D6E60A09B9492646A9C629E9C949462996A696964966892669C96669E686661926C6009749D89B9456AB291456A9A89718A458AA5AE8101D09AEA5A200200',1795710280124867);
INSERT INTO "jobs jobEvent" VALUES(9,0,X'',1795710280131235);
CREATE TABLE "jobs leaves" (
        leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL, job TEXT NOT NULL,
        PRIMARY KEY (leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES('03517b531670bfdaabdc65f7eeed1317',3373512120000000,'944add3e-6e52-4be5-9df4-9517a9f76a76','0c62c712-186b-4ebe-99f0-ae029abed069');
INSERT INTO "jobs leaves" VALUES('15a8ce87375302c4cb9de8a869247ddf',3373512120000000,'944add3e-6e52-4be5-9df4-9517a9f76a76','0c62c712-186b-4ebe-99f0-ae029abed069');
CREATE TABLE "jobs places" (
        workflow INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (workflow, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs places" VALUES(1,4);
INSERT INTO "jobs places" VALUES(2,9);
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-721ce9a7d886fa0612e34b53aa532c7c-1e64b7cb875e4752-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7,"tags":["x"]},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-dd9608fc9875de6683e39d0575200d82-25bb18c800e3d9e9-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"CheckpointLoaderSimple":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd1/civitai/4384/128713.safetensors"},"_meta":{}},"EmptyLatentImage":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1},"_meta":{}},"CLIPTextEncode":{"class_type":"CLIPTextEncode","inputs":{"text":"a lighthouse over a stormy sea at night, oil painting","clip":["CLIPSetLastLayer",0]},"_meta":{}},"CLIPTextEncode_1":{"class_type":"CLIPTextEncode","inputs":{"text":"blurry, low quality","clip":["CLIPSetLastLayer",0]},"_meta":{}},"KSampler":{"class_type":"KSampler","inputs":{"sampler_name":"euler_ancestral","scheduler":"normal","seed":1234567890,"steps":20,"cfg":7,"denoise":1,"latent_image":["EmptyLatentImage",0],"model":["LoraLoader",0],"positive":["CLIPTextEncode",0],"negative":["CLIPTextEncode_1",0]},"_meta":{}},"VAEDecode":{"class_type":"VAEDecode","inputs":{"samples":["KSampler",0],"vae":["CheckpointLoaderSimple",2]},"_meta":{}},"SaveImage":{"class_type":"SaveImage","inputs":{"filename_prefix":"c8a70639-eb11-47b3-a7a9-c3787c65c1e5","images":["VAEDecode",0]},"_meta":{}},"LoraLoader":{"class_type":"LoraLoader","inputs":{"lora_name":"lora/sd1/civitai/82098/87153.safetensors","strength_model":0.8,"strength_clip":0.8,"model":["CheckpointLoaderSimple",0],"clip":["CheckpointLoaderSimple",1]},"_meta":{}},"CLIPSetLastLayer":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["LoraLoader",1]},"_meta":{}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-9bee4896fddf3aecb326a7665baf5222-11ebe8447eea00bb-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-258fae574ff3f164d4a17eb31cca004c-be187388e32f5c4d-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064203000",0,0,0]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-48fba7662e2bc0e2f23ff879e277070f-239dd2682647c684-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook?jobId=1"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-abdea8194e1d86289a6280d6d25ea6c8-1f07ee40f92cc66c-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-abdea8194e1d86289a6280d6d25ea6c8-1f07ee40f92cc66c-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["ae3bc6e2-f9bd-4937-a8ce-cda6da9da928"]}');
INSERT INTO "jobs requests" VALUES(8,'{"trace_id":"00-bdb53d7cbbd9e9926a4f3ff7a684c097-8478ec28ef43d8d9-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(9,'{"trace_id":"00-bbc321517bbe5d71b1da90b6b719b509-7f036c06f437e03b-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064206000",0,0,0]}');
CREATE TABLE "jobs tags" (
        owner TEXT NOT NULL, tag TEXT NOT NULL, born INTEGER NOT NULL, workflow TEXT NOT NULL,
        PRIMARY KEY (owner, tag, born, workflow)) WITHOUT ROWID
    ;
INSERT INTO "jobs tags" VALUES('civitai-1','a',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES('civitai-1','b',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES('civitai-1','b',3373512126000000,'1-20761125064206000');
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE "jobs workflows" (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, external_id TEXT,
        created_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, version INTEGER NOT NULL,
        is_over INTEGER NOT NULL, is_listed INTEGER NOT NULL, has_failed INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
        blue INTEGER NOT NULL, green INTEGER NOT NULL, yellow INTEGER NOT NULL, fake_red INTEGER NOT NULL,
        search TEXT, body TEXT NOT NULL);
INSERT INTO "jobs workflows" VALUES(1,'1-20761125064203000','civitai-1','one',3373512123000000,3376104123000000,4,1,1,0,0,8,0,0,0,'who
a fox','{"id":"1-20761125064203000","owner":"civitai-1","trace_id":"00-258fae574ff3f164d4a17eb31cca004c-be187388e32f5c4d-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:03+00:00","keep_until":"2076-12-25T06:42:03+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":3919493723,"jobs":["f172e0a0-1a45-526b-99ac-0ce48d75e717"],"ready_at":"2076-11-25T06:42:03+00:00"}],"callbacks":[["http://127.0.0.1:9/hook?workflow=1",["workflow:*","step:*"],false]],"external_id":"one","tags":["a","b"],"metadata":{"who":"a fox"},"allow_mature_content":false,"transactions":[["debit",8,"blue","3bd4e4d4-f358-5997-8be8-9e1d7baa093f"]],"memo":["succeeded","2076-11-25T06:42:03+00:00","2076-11-25T06:42:03+00:00","pg",[]]}');
INSERT INTO "jobs workflows" VALUES(2,'1-20761125064206000','civitai-1','two',3373512126000000,3376104126000000,3,0,1,0,0,8,0,0,0,NULL,'{"id":"1-20761125064206000","owner":"civitai-1","trace_id":"00-bbc321517bbe5d71b1da90b6b719b509-7f036c06f437e03b-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:06+00:00","keep_until":"2076-12-25T06:42:06+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":2154165502,"jobs":["d0dff223-d73d-51f9-9063-b750c77656da"],"ready_at":"2076-11-25T06:42:06+00:00"}],"external_id":"two","tags":["b"],"allow_mature_content":false,"transactions":[["debit",8,"blue","b7c05d46-c694-5cef-b462-ce94063d1c66"]]}');
CREATE TABLE "resources" (
        key TEXT PRIMARY KEY, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        search TEXT NOT NULL, body TEXT NOT NULL);
INSERT INTO "resources" VALUES('urn:air:sd1:checkpoint:civitai:4384@128713','civitai','128713','4384','urn:air:sd1:checkpoint:civitai:4384@128713
dreamshaper
dreamshaper
8
base model
art style','{"air":{"source":"civitai","id":"4384","ecosystem":"sd1","type":"checkpoint","version":"128713","format":null},"fields":{"size":2132625894,"hashes":{"AutoV2":"879DB523C3","SHA256":"879DB523C30D3B9017143D56705015E15A2CB5628762C11D086FED9538ABD7FD"},"downloadUrls":["https://civitai.com/api/download/models/128713"],"modelName":"DreamShaper","resourceName":"DreamShaper","versionName":"8","tags":["base model","art style"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:checkpoint:civitai:4201@130072','civitai','130072','4201','urn:air:sd1:checkpoint:civitai:4201@130072
realistic vision v6.0 b1
realistic vision v6.0 b1
v5.1 (vae)
base model
photorealistic','{"air":{"source":"civitai","id":"4201","ecosystem":"sd1","type":"checkpoint","version":"130072","format":null},"fields":{"size":0,"hashes":{"AutoV2":"15012C538F"},"downloadUrls":["https://civitai.com/api/download/models/130072"],"modelName":"Realistic Vision V6.0 B1","resourceName":"Realistic Vision V6.0 B1","versionName":"V5.1 (VAE)","tags":["base model","photorealistic"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:lora:civitai:82098@87153','civitai','87153','82098','urn:air:sd1:lora:civitai:82098@87153
add more details - detail enhancer / tweaker (细节调整) lora
add more details - detail enhancer / tweaker (细节调整) lora
v1.0
detail','{"air":{"source":"civitai","id":"82098","ecosystem":"sd1","type":"lora","version":"87153","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/87153"],"modelName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","resourceName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:embedding:civitai:7808@9208','civitai','9208','7808','urn:air:sd1:embedding:civitai:7808@9208
easynegative
easynegative
easynegative
negative','{"air":{"source":"civitai","id":"7808","ecosystem":"sd1","type":"embedding","version":"9208","format":null},"fields":{"size":0,"hashes":{"AutoV2":"C74B4E810B","SHA256":"C74B4E810B030F6B75FDE959E2DB678C268D07115B85356D3C0138BA5EB42340"},"downloadUrls":["https://civitai.com/api/download/models/9208"],"modelName":"EasyNegative","resourceName":"EasyNegative","versionName":"EasyNegative","trainedWords":["easynegative"],"tags":["negative"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:vae:civitai:276082@311162','civitai','311162','276082','urn:air:sd1:vae:civitai:276082@311162
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840k
vae','{"air":{"source":"civitai","id":"276082","ecosystem":"sd1","type":"vae","version":"311162","format":null},"fields":{"size":334641190,"hashes":{"AutoV2":"735E4C3A44","SHA256":"735E4C3A447A3255760D7F86845F09F937809BAA529C17370D83E4C3758F3C75"},"downloadUrls":["https://civitai.com/api/download/models/311162"],"modelName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","resourceName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","versionName":"vae-ft-mse-840k","tags":["vae"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sdxl:checkpoint:civitai:101055@128078','civitai','128078','101055','urn:air:sdxl:checkpoint:civitai:101055@128078
sd xl
sd xl
v1.0 vae fix','{"air":{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"fields":{"size":6938078208,"hashes":{"AutoV1":"BE9EDD61","CRC32":"9B4D991F","AutoV2":"E6BB9EA85B","BLAKE3":"D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95","SHA256":"E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"},"downloadUrls":["https://civitai.com/api/download/models/128078"],"modelName":"SD XL","resourceName":"SD XL","versionName":"v1.0 VAE fix","checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.7,"isFeatured":false,"publishedAt":"2023-07-29T15:09:06.388Z","hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sdxl:lora:civitai:122359@135867','civitai','135867','122359','urn:air:sdxl:lora:civitai:122359@135867
detail tweaker xl
detail tweaker xl
v1.0
detail','{"air":{"source":"civitai","id":"122359","ecosystem":"sdxl","type":"lora","version":"135867","format":null},"fields":{"size":0,"hashes":{"AutoV2":"0D9BD1B873","SHA256":"0D9BD1B873A7863E128B4672E3E245838858F71469A3CEC58123C16C06F83BD7"},"downloadUrls":["https://civitai.com/api/download/models/135867"],"modelName":"Detail Tweaker XL","resourceName":"Detail Tweaker XL","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:pony:checkpoint:civitai:257749@290640','civitai','290640','257749','urn:air:pony:checkpoint:civitai:257749@290640
pony diffusion v6 xl
pony diffusion v6 xl
v6 (start with this one)
base model','{"air":{"source":"civitai","id":"257749","ecosystem":"pony","type":"checkpoint","version":"290640","format":null},"fields":{"size":6938041050,"hashes":{"AutoV2":"67AB2FD8EC","SHA256":"67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"},"downloadUrls":["https://civitai.com/api/download/models/290640"],"modelName":"Pony Diffusion V6 XL","resourceName":"Pony Diffusion V6 XL","versionName":"V6 (start with this one)","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:illustrious:checkpoint:civitai:795765@889818','civitai','889818','795765','urn:air:illustrious:checkpoint:civitai:795765@889818
illustrious-xl
illustrious-xl
v0.1
base model
anime','{"air":{"source":"civitai","id":"795765","ecosystem":"illustrious","type":"checkpoint","version":"889818","format":null},"fields":{"size":6938040760,"hashes":{"AutoV2":"3E15BA0038","SHA256":"3E15BA00387DB678AB4A099F75771C4F5AC67FDA9E7100A01D263EAF30145AA9"},"downloadUrls":["https://civitai.com/api/download/models/889818"],"modelName":"Illustrious-XL","resourceName":"Illustrious-XL","versionName":"v0.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:noobai:checkpoint:civitai:833294@1116447','civitai','1116447','833294','urn:air:noobai:checkpoint:civitai:833294@1116447
noobai-xl (nai-xl)
noobai-xl (nai-xl)
epsilon-pred 1.1
base model
anime','{"air":{"source":"civitai","id":"833294","ecosystem":"noobai","type":"checkpoint","version":"1116447","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/1116447"],"modelName":"NoobAI-XL (NAI-XL)","resourceName":"NoobAI-XL (NAI-XL)","versionName":"Epsilon-pred 1.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:flux1:checkpoint:civitai:618692@691639','civitai','691639','618692','urn:air:flux1:checkpoint:civitai:618692@691639
flux
flux
dev
base model','{"air":{"source":"civitai","id":"618692","ecosystem":"flux1","type":"checkpoint","version":"691639","format":null},"fields":{"size":23802932552,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/691639"],"modelName":"FLUX","resourceName":"FLUX","versionName":"Dev","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:flux1:lora:civitai:233497@937698','civitai','937698','233497','urn:air:flux1:lora:civitai:233497@937698
frozen anna elsa -dall-e 3
frozen anna elsa -dall-e 3
flux_v1','{"air":{"source":"civitai","id":"233497","ecosystem":"flux1","type":"lora","version":"937698","format":null},"fields":{"size":306429952,"hashes":{"AutoV1":"C87E3019","AutoV2":"89D939E4D4","CRC32":"59CB7285","SHA256":"89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D","BLAKE3":"DCF1EA67915737E3B0F41EB3A66A10CC5C3C2E73579919AFCAF738A1C9903982","AutoV3":"3F34446EC06E"},"downloadUrls":["https://civitai.com/api/download/models/937698"],"modelName":"Frozen anna elsa -Dall-E 3","resourceName":"Frozen anna elsa -Dall-E 3","versionName":"Flux_V1","checkPermission":false,"canGenerate":true,"requiresAuthorization":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.9,"isFeatured":false,"publishedAt":"2024-10-09T11:54:46.826Z","hasNSFWContentRestriction":false}}');
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO "secrets" VALUES('blob-urls',X'3D3A1F2176B3872A4BAA145A68CB335D93113FF61B1186BB8459A91CC37738D7');
CREATE INDEX "jobs to claim" ON "jobs" (priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0
    ;
CREATE INDEX "jobs by worker" ON "jobs" (worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by lease" ON "jobs" (lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by deadline" ON "jobs" (expire_at) WHERE outcome IS NULL;
CREATE INDEX "jobs that wait" ON "jobs" (id) WHERE waits = 1;
CREATE INDEX "jobs by age" ON "jobs" (created_at, submission_id, id, type);
CREATE INDEX "jobs by consumer" ON "jobs" (issued_by, created_at, submission_id, id, type);
CREATE INDEX "jobs by charge" ON "jobs" (issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    ;
CREATE INDEX "jobs by end" ON "jobs" (changed_at) WHERE outcome IS NOT NULL;
CREATE INDEX "jobs to tell of" ON "jobs" (callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    ;
CREATE INDEX "jobs to sweep" ON "jobs" (keep_until);
CREATE UNIQUE INDEX "jobs jobEvent by position" ON "jobs jobEvent" (position)
    WHERE position IS NOT NULL
    ;
CREATE UNIQUE INDEX "jobs workflows by external id" ON "jobs workflows" (owner, external_id)
    WHERE external_id IS NOT NULL
    ;
CREATE INDEX "jobs workflows by age" ON "jobs workflows" (owner, created_at, id)
    WHERE is_listed = 1
    ;
CREATE INDEX "jobs workflows that did not fail" ON "jobs workflows" (owner, created_at, id)
    WHERE is_listed = 1 AND has_failed = 0
    ;
CREATE INDEX "jobs workflows that run" ON "jobs workflows" (id)
    WHERE is_over = 0 AND is_deleted = 0
    ;
CREATE INDEX "jobs workflows by charge" ON "jobs workflows" (owner, blue, green, yellow, fake_red)
    ;
CREATE INDEX "jobs workflows to sweep" ON "jobs workflows" (keep_until);
CREATE INDEX "jobs to announce" ON "jobs deliveries" (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX "resources by version" ON "resources" (source, version, key);
CREATE INDEX "resources by model" ON "resources" (source, id, key);
CREATE INDEX [blobs to sweep] ON blobs (keep_until);
COMMIT;
PRAGMA user_version = 9;
